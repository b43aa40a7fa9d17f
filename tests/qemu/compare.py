# SPDX-License-Identifier: BSD-2-Clause
"""compare.py TABLE LINTEL QEMU: lines from both, each a case and what it showed, and the table of what may differ. Prints TAP without a plan."""
import re
import sys


def lines(path):
    """[(case, what it showed)] in order."""
    with open(path, errors="replace") as file:
        return [tuple(line.strip().partition(" ")[::2]) for line in file]


def rows(path):
    """[{case, Lintel, QEMU, why}]"""
    with open(path) as file:
        text = "".join(line for line in file if not line.startswith("#"))
    return [dict(re.findall(r"^(\w+): (.*)$", row, re.M)) for row in text.strip().split("\n\n")]


def allows(row, case, ours, theirs):
    """Both are as the row says, and what is in parentheses is the same."""
    a, b = re.fullmatch(row["Lintel"], ours), re.fullmatch(row["QEMU"], theirs)
    return bool(re.fullmatch(row["case"], case) and a and b and a.groups() == b.groups())


def main():
    table, ours, theirs = rows(sys.argv[1]), lines(sys.argv[2]), lines(sys.argv[3])
    good = [case for case, _ in ours] == [case for case, _ in theirs] and len(ours) > 0
    print("ok" if good else "not ok", f"- both have the same {len(ours)} cases")
    used = []
    wrong = []
    for (case, a), (other, b) in zip(ours, theirs):
        allowed = [row for row in table if allows(row, case, a, b)]
        if case != other or (a != b and not allowed):
            wrong.append(f"# {case}\n#   Lintel: {a}\n#   QEMU:   {b}")
        elif a != b:
            used += allowed
    print("not ok" if wrong else "ok", "- they come out the same, but for what the table allows", *wrong, sep="\n" if wrong else " ")
    idle = [row["case"] for row in table if row not in used]
    print("not ok" if idle else "ok", "- each row of the table is for something", *["# " + case for case in idle], sep="\n" if idle else " ")


main()
