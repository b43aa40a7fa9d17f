#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bounds.sh ROOT: docs/bounds.md and guests/hostile.def name the same hostile guests, each in one row. Prints TAP.
set -u

cd "$1" || exit 1
in_table=$(sed -n 's/^HOSTILE(\(.*\))$/\1/p' guests/hostile.def | sort)
in_page=$(sed -n 's/^|[^|]*|[^|]*|[^|]*|\([^|]*\)|$/\1/p' docs/bounds.md | grep -o '`[^`]*`' | tr -d '`' | sort)
rows_without=$(sed -n '/^| resource/,/^$/p' docs/bounds.md | tail -n +3 | grep '^|' | grep -v '`[a-z_]*` |$')

if [ -n "$in_table" ] && [ "$in_table" = "$in_page" ]; then
    echo "ok 1 - each hostile guest has one row, and each row's exist"
else
    echo "not ok 1 - each hostile guest has one row, and each row's exist"
    printf '# in the table: %s\n# in the page: %s\n' "$(echo $in_table)" "$(echo $in_page)"
fi
if [ -z "$rows_without" ]; then
    echo "ok 2 - each row has a hostile guest"
else
    echo "not ok 2 - each row has a hostile guest"
    echo "$rows_without" | sed 's/^/# /'
fi
echo "1..2"
