# SPDX-License-Identifier: BSD-2-Clause
"""summary.py JUNIT CODE: counts what Meson's tests said, each TAP line as a test, and prints "N passed, N failed".

CODE is what `meson test` returned: a test program can fail as a whole although no line of its own says so.
"""
import sys
import xml.etree.ElementTree


def main(path, code):
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" not in kinds:
            passed += 1
    if code and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main(sys.argv[1], int(sys.argv[2])))
