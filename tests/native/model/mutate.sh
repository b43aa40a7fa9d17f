#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# mutate.sh SOURCE COMMAND MUTANT: changes one line of a source by a command of sed. A command that finds none, or more
# than one, has to be brought up to date with the source.
set -eu

sed "$2" "$1" >"$3"
changed=$(diff "$1" "$3" | grep -c '^<' || true)
if [ "$changed" != 1 ]; then
    echo "mutate.sh: $1: '$2' changes $changed lines instead of one" >&2
    exit 1
fi
