#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# prove.sh CBMC ROOT PROOF LOOPS [SOURCE COMMAND WORDS]: proves PROOF.c of this folder; LOOPS are CBMC's bounds of its loops,
# and that they go no further is proven with the rest. With a SOURCE of the tree and a command of sed that changes one line of
# it, the proof must fail, and what it names as failed must have these words.
set -eu

here=$(dirname "$(realpath "$0")")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cbmc=$1 root=$2 proof=$3 loops=$4

if [ $# -gt 4 ]; then
    mkdir -p "$place/$(dirname "$5")"
    "$here/../native/model/mutate.sh" "$root/$5" "$6" "$place/$5"
fi

# The changed source is found before the tree's, and the model's accesses to shared pages before runtime's.
cd "$root"
# shellcheck disable=SC2086
"$cbmc" -I "$place" -I tests/native/runtime/model -I . "tests/proofs/$proof.c" --function proof --drop-unused-functions $loops --unwinding-assertions \
    --pointer-overflow-check --no-malloc-may-fail >"$place/said" 2>&1 && good=0 || good=$?

if [ $# = 4 ]; then
    [ $good = 0 ] && exec tail -n 2 "$place/said"
    cat "$place/said"
    exit 1
fi
[ $good = 10 ] && grep ': FAILURE$' "$place/said" | grep -F -- "$7" && exit
tail -n 50 "$place/said"
exit 1
