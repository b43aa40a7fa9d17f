#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# cpus.sh ROOT POST_MODEL AGREE_MODEL: the tables of docs/cpus.md: each scenario of the two models, with the number of its states,
# and each guard that is taken away from them, with what goes wrong then. Prints TAP.
set -u

root=$1 post=$2 agree=$3

# scenarios NAME MODEL
scenarios()
{
    "$2" | sed -n "s/^\(.*\): \([0-9]*\) states, all is well$/| \`$1\` | \1 | \2 |/p"
}

# mutants NAME MESON.BUILD: those of the list NAME_mutants.
mutants()
{
    sed -n "/^$1_mutants = /,/^]/s/^    \['\([a-z-]*\)',.*'\([a-z]*\)'\],$/$1_model \1 \2/p" "$2"
}

same()
{
    if [ -n "$2" ] && [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1"
        printf '%s\n-\n%s\n' "$2" "$3" | sed 's/^/# /'
    fi
}

same '1 - the scenarios, and their states' \
    "$(
        scenarios post_model "$post"
        scenarios agree_model "$agree"
    )" \
    "$(grep -E '^\| `[a-z]*_model` \| [^`]*\| [0-9]+ \|$' "$root/docs/cpus.md")"
same '2 - the guards, and what goes wrong without them' \
    "$(
        mutants post "$root/tests/native/sched/meson.build"
        mutants agree "$root/tests/native/vm/meson.build"
    )" \
    "$(sed -n 's/^| `\([a-z]*_model\)` | `\([a-z-]*\)` | .*: \([a-z]*\) |$/\1 \2 \3/p' "$root/docs/cpus.md")"
echo "1..2"
