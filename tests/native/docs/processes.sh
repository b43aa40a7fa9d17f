#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# processes.sh ROOT: docs/processes.md has the addresses of abi/process.h, and the calls and events that are not a monitor's
# alone; and none that do not exist. Prints TAP.
set -u

cd "$1" || exit 1
page=docs/processes.md
count=0

report()
{
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}

in_header=$(sed -n 's/^#define \(PROCESS_[A-Z]*\)  *0x0*\([0-9a-f]*\)ULL.*/\1 0x\2/p' abi/process.h | grep -v '_SIZE\|_STRIDE\|_END' | sort)
in_page=$(sed -n 's/^| `\(PROCESS_[A-Z]*\)` \(0x[0-9a-f]*\) .*/\1 \2/p' $page | sort)
report "the addresses are abi/process.h's" "$([ -n "$in_header" ] && [ "$in_header" = "$in_page" ] || printf '%s\n' "$in_header" - "$in_page")"

names()
{
    grep -o "\(GATE\|EVENT\|PROCESS\|CHANNEL\)_[A-Z_]*" "$@" | sort -u
}
names $page >"${TMPDIR:-/tmp}/names.$$"
report "each name in capitals is one of abi/" "$(names -h abi/*.h | comm -23 "${TMPDIR:-/tmp}/names.$$" -)"
rm -f "${TMPDIR:-/tmp}/names.$$"

calls=$(grep -o 'GATE_[A-Z_]*' runtime/gate.c | sort -u)
report "each call of runtime/gate.c has its row" "$(for call in $calls; do grep -q "^| \`$call\`" $page || echo "$call"; done)"
echo "1..$count"
