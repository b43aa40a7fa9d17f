#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# proofs.sh ROOT: docs/proofs.md has a row for each proof of tests/proofs/meson.build, and no other; each file of tests/proofs
# is one of them. Prints TAP.
set -u

cd "$1" || exit 1
in_table=$(sed -n "s/^    \['\([a-z_]*\)', '--unwind.*/\1/p" tests/proofs/meson.build | sort)
in_page=$(sed -n 's/^| `\([a-z_]*\)` |.*/\1/p' docs/proofs.md | sort)
files=$(for file in tests/proofs/*.c; do basename "$file" .c; done | sort)

same()
{
    if [ -n "$2" ] && [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1"
        printf '%s\n-\n%s\n' "$2" "$3" | sed 's/^/# /'
    fi
}

same "1 - the page has the proofs that there are" "$in_table" "$in_page"
same "2 - each file is a proof of the table" "$in_table" "$files"
echo "1..2"
