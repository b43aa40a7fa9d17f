# SPDX-License-Identifier: BSD-2-Clause
"""summary.py LOG...: shows what failed, then "N passed, N failed" as the last line.

A LOG is Meson's testlog.json, or a file NAME.tap with what one test said. A test that speaks TAP counts as many tests as it has lines of "ok" and "not ok", any other as one. A test that
failed as a whole although none of its lines says so counts as one failure more.
"""
import json
import pathlib
import re
import sys

LINE = re.compile(r"(?P<bad>not )?ok\b(?P<rest>.*)")
SHOWN = 100  # lines of a failed test


def count(test):
    """How many of a test's parts passed and failed."""
    lines = [match for match in map(LINE.match, test.get("stdout", "").splitlines()) if match]
    skipped = sum("# SKIP" in line["rest"].upper() for line in lines)
    failed = sum(line["bad"] is not None for line in lines)
    passed = len(lines) - failed - skipped
    good = test["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
    if not good and not failed:
        failed = 1
    if test["result"] == "OK" and not lines:
        passed = 1
    return passed, failed


def show(test):
    """Prints what a failed test said, without the lines about what went well."""
    print(f"\n--- {test['name']}: {test['result']} (exit code {test.get('returncode')}): {' '.join(test['command'])}")
    said = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
    for line in [line for line in said if not line.startswith("ok ")][-SHOWN:]:
        print(f"    {line}")


def tests_in(path):
    """The tests of a log."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".tap":
        result = "OK" if re.search(r"^1\.\.\d+$", text, re.MULTILINE) else "it did not come to its plan"
        return [{"name": path.stem, "result": result, "stdout": text, "command": []}]
    return [json.loads(line) for line in text.splitlines()]


def main(paths):
    total_passed = total_failed = 0
    for test in [test for path in paths for test in tests_in(pathlib.Path(path))]:
        passed, failed = count(test)
        total_passed += passed
        total_failed += failed
        if failed:
            show(test)
    print(f"\n{total_passed} passed, {total_failed} failed")
    return 1 if total_failed or not total_passed else 0


sys.exit(main(sys.argv[1:]))
