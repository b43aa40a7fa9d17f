#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# includes.sh ROOT: within hypervisor/, includes point down the list of CONTRIBUTING.md only.
cd "$1" || exit 1

order=$(sed -n 's/^Within `hypervisor\/`, includes point down this list only: //p' CONTRIBUTING.md | tr -d '`,.')
grep -r -o '^#include "hypervisor/[a-z]*/[^"]*"' hypervisor --include='*.[chS]' |
    awk -F '[:"]' -v order="$order" '
        BEGIN { count = split(order, names, " "); for (i = 1; i <= count; i++) rank[names[i]] = i }
        { split($1, from, "/"); split($3, to, "/") }
        !(to[2] in rank) || from[2] in rank && rank[to[2]] < rank[from[2]] { print $1 " includes " $3 ", which points up"; bad = 1 }
        END { exit bad || !count || !NR }'
