#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# control.sh ROOT: docs/control.md has the calls and errors of abi/control.h, with their numbers, and no others. Prints TAP.
set -u

cd "$1" || exit 1
in_header=$(awk '/^enum control_(call|error) /{ n = 0; on = 1; next } /^}/{ on = 0 }
    on && match($1, /^CONTROL_[A-Z_]*/) { name = substr($1, 1, RLENGTH); if (name !~ /_COUNT$/) print n++, name }' abi/control.h | sort)
in_page=$(sed -n 's/^| \([0-9]*\) | `\(CONTROL_[A-Z_]*\)` |.*/\1 \2/p' docs/control.md | sort)
if [ -n "$in_header" ] && [ "$in_header" = "$in_page" ]; then
    echo "ok 1 - the page has the calls and errors of the header"
else
    echo "not ok 1 - the page has the calls and errors of the header"
    printf '%s\n' "$in_header" - "$in_page" | sed 's/^/# /'
fi
echo "1..1"
