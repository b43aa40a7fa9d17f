#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# includes.sh ROOT: within hypervisor/, includes point down the list of CONTRIBUTING.md only. Those that still point up are the
# lines of upward_includes.txt, which may only get fewer: a line that is true no more must go.
here=$(dirname "$(realpath "$0")")
cd "$1" || exit 1

# "FILE HEADER" for each include that points up.
upward()
{
    order=$(sed -n 's/^Within `hypervisor\/`, includes point down this list only: //p' CONTRIBUTING.md | tr -d '`,.')
    grep -r -o '^#include "hypervisor/[a-z]*/[^"]*"' hypervisor --include='*.[chS]' |
        awk -F '[:"]' -v order="$order" '
            BEGIN { count = split(order, names, " "); for (i = 1; i <= count; i++) rank[names[i]] = i }
            { split($1, from, "/"); split($3, to, "/") }
            !(to[2] in rank) || from[2] in rank && rank[to[2]] < rank[from[2]] { print $1, $3 }' |
        LC_ALL=C sort
}

said=$(upward | LC_ALL=C diff "$here/upward_includes.txt" -)
good=$?
printf '%s\n' "$said" | sed -n -e 's/^> \([^ ]*\) \(.*\)/\1 includes \2, which points up/p' \
    -e 's/^< \(.*\)/upward_includes.txt: take this line out, it is true no more: \1/p'
exit $good
