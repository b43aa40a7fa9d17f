# SPDX-License-Identifier: BSD-2-Clause
"""names.py BUILD NAME...: prints the names of the tests that are meant, one a line, each once.

A NAME is a test's name. Otherwise it means each test that has all of its words, in the test's name or as a suite's;
a word may be a pattern: "timer", "kernels arrow_lake", "tool_*".
"""
import fnmatch
import json
import subprocess
import sys


def words(test):
    """The words of a test's name, and its suites."""
    return test["name"].split() + [suite.rpartition(":")[2] for suite in test["suite"]]


def chosen(name, tests):
    """The names of the tests that are meant."""
    exact = [test["name"] for test in tests if test["name"] == name]
    return exact or [
        test["name"] for test in tests if all(fnmatch.filter(words(test), wanted) for wanted in name.split())
    ]


def main(build, names):
    introspect = subprocess.run(["meson", "introspect", "--tests", build], check=True, capture_output=True)
    tests = json.loads(introspect.stdout)
    wanted = {}
    for name in names:
        found = chosen(name, tests)
        if not found:
            sys.exit(f"lintel: no such test: {name}; 'meson test -C {build} --list' shows them")
        wanted.update(dict.fromkeys(found))
    print("\n".join(wanted))


main(sys.argv[1], sys.argv[2:])
