#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bounds.sh ROOT: docs/bounds.md and guests/hostile.def name the same hostile guests, each in one row;
# and so do it and tests/bochs/evil/process.def the ways in which a process takes too much. Prints TAP.
set -u

cd "$1" || exit 1
in_table=$(sed -nE 's/^HOSTILE(_CPUS|_DISK|_FLAWS|_NET)?\((.*)\)$/\2/p' guests/hostile.def | sort)
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
in_table=$(sed -n 's/^HOG(\(.*\))$/\1/p' tests/bochs/evil/process.def | sort)
in_page=$(sed -n '/^## What a process can use up/,/^## What a control/s/^| `\([a-z_]*\)` |.*/\1/p' docs/bounds.md | sort)
if [ -n "$in_table" ] && [ "$in_table" = "$in_page" ]; then
    echo "ok 3 - each way in which a process takes too much has one row"
else
    echo "not ok 3 - each way in which a process takes too much has one row"
    printf '# in the table: %s\n# in the page: %s\n' "$(echo $in_table)" "$(echo $in_page)"
fi
echo "1..3"
