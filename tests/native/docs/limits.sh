#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# limits.sh ROOT: the parts in CONTRIBUTING.md's table of sizes have no more lines of code than it says, as cloc counts them. Prints TAP.
set -u

cd "$1" || exit 1
count=0

while IFS='|' read -r _ name most files _; do
    count=$((count + 1))
    name=$(echo $name) most=$(echo "$most" | tr -d ' ,')
    # shellcheck disable=SC2046 # words
    lines=$(cloc --quiet --csv $(echo "$files" | tr -d '`') | sed -n 's/^[0-9]*,SUM,.*,//p')
    if [ -n "$lines" ] && [ "$lines" -le "$most" ]; then
        echo "ok $count - $name: $lines of $most lines"
    else
        echo "not ok $count - $name: ${lines:-no} lines, and $most are its limit"
    fi
done <<END
$(sed -n '/^| part | lines/,/^$/p' CONTRIBUTING.md | tail -n +3 | grep '^|')
END
echo "1..$count"
[ "$count" -gt 1 ]
