#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# citations.sh ROOT: what the documents say about the sources is true: each file that they name exists, and so does each
# function of the tour; the manual has the environment's name of each file that another one may stand in for; the files in the
# column "met by" of docs/requirements.md cite that requirement's number. Prints TAP.
set -u

cd "$1" || exit 1
count=0

report()
{
    count=$((count + 1))
    if [ -z "$3" ]; then
        echo "ok $count - $1: $2"
    else
        echo "not ok $count - $1: $2"
        printf '%s\n' "$3" | sed 's/^/# /'
    fi
}

# Words in backquotes, and the targets of links, that look like files of the tree: with a folder in them, or a known
# ending. A word with a star must match something.
files_in()
{
    {
        grep -so '`[^`]*`' "$1" | tr -d '`'
        grep -so '](\([^)#]*\)' "$1" | cut -c 3- | grep -v ':' | sed "s|^|$(dirname "$1")/|"
    } | grep -E '^[A-Za-z0-9_.*/-]+$' | grep -E '/.*\.[A-Za-z0-9]+$|\.md$' | grep -vE '^(\.?/)?(dev|build|usr|tmp|sys)/' |
        sort -u
}

missing_files()
{
    [ -f "$1" ] || echo "$1 does not exist"
    files_in "$1" | while read -r file; do
        # shellcheck disable=SC2086
        ls -d $file >/dev/null 2>&1 || echo "$file does not exist"
    done
}

# Identifiers in backquotes, with or without arguments, of the text on standard input.
missing_names()
{
    grep -o '`[^`]*`' | tr -d '`' | sed 's/(.*)$//' | grep -xE '[A-Za-z0-9]*_[A-Za-z0-9_]*' | sort -u |
        while read -r name; do
            grep -rqw "$name" abi hypervisor monitor runtime drivers services tool tests/native || echo "$name is not in the sources"
        done
}

# The lines "number|met by|shown by|remarks" of the tables, one for each requirement.
rows()
{
    sed -n 's/^| *R\([0-9]*\) *|[^|]*|\([^|]*\)|\([^|]*\)|\([^|]*\)|$/\1|\2|\3|\4/p' docs/requirements.md
}

# Whether a file cites R$2, by itself or in a range R$a-R$b.
cites()
{
    grep -qE "(^|[^A-Za-z0-9])R$2([^0-9]|$)" "$1" ||
        grep -oE 'R[0-9]+-R[0-9]+' "$1" | tr -d R | awk -F- -v n="$2" '$1 <= n && n <= $2 { found = 1 } END { exit !found }'
}

missing_citations()
{
    rows | while IFS='|' read -r number met _; do
        for file in $(echo "$met" | grep -o '`[^`]*`' | tr -d '`' | grep /); do
            cites "$file" "$number" || echo "$file does not cite R$number"
        done
    done
}

# Each requirement has one row, with a file that meets it and one that shows it, or a remark that says why not.
missing_rows()
{
    seq 1 46 | while read -r number; do
        [ "$(rows | grep -c "^$number|")" = 1 ] || echo "R$number must have one row"
    done
    rows | awk -F'|' '(index($2, "`") == 0 || index($3, "`") == 0) && $4 !~ /[a-z]/ {
        print "R" $1 " names no file and has no remark that says why"
    }'
}

# The environment's names for files in place of those that were built.
missing_variables()
{
    sed -nE 's/^ *\[BUILT_.*\{"(LINTEL_[A-Z0-9_]+)".*/\1/p' tool/paths.c | while read -r name; do
        grep -qw -- "$name" docs/lintel.1 || echo "$name is not in the manual"
    done
}

# Rows that an empty line parts from their table, which are shown as they stand: no rule follows, as it would behind a heading.
lost_rows()
{
    awk 'lost && !/^\|[-:|]+$/ { print "line " NR - 1 " is of no table: " lost } { lost = "" }
        /^\|/ && last == "" && above ~ /^\|/ { lost = $0 } { above = last; last = $0 }
        END { if (lost) print "the last line is of no table: " lost }' "$1"
}

for page in README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md SUPPORT.md docs/*.md; do
    report "$page" "the files that it names exist" "$(missing_files "$page")"
    report "$page" "its tables are whole" "$(lost_rows "$page")"
done
for page in docs/tour.md docs/adding.md; do
    report "$page" "the functions that it names exist" "$(missing_names <"$page")"
done
# Of the newest version: what an earlier one brought may be gone.
report CHANGELOG.md "the calls that it names exist" "$(awk '/^## / && n++ { exit } 1' CHANGELOG.md | missing_names)"
report docs/lintel.1 "each file's name in the environment is there" "$(missing_variables)"
report docs/requirements.md "there is one row for each requirement" "$(missing_rows)"
report docs/requirements.md "the files that meet a requirement cite it" "$(missing_citations)"
echo "1..$count"
