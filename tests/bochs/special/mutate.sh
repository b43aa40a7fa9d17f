#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# mutate.sh SOURCE SED OUTPUT: a copy of a source file that differs by one sed command, which must change exactly one line.
set -eu
sed "$2" "$1" >"$3"
changed=$(diff "$1" "$3" | grep -c '^<' || true)
if [ "$changed" != 1 ]; then
    echo "mutate.sh: $1: '$2' changes $changed lines, not 1: bring it up to date with the source" >&2
    exit 1
fi
