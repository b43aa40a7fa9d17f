#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# aims.sh LINTEL AIMS BENCH: what operations may cost at most (docs/performance/aims.csv), against the benchmarks' figures of now.
# Bochs counts instructions, so the figures of a build repeat exactly.
lintel=$1 aims=$(realpath "$2") bench=$(realpath "$3")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
LINTEL_BUILD=$(dirname "$(dirname "$lintel")")
export LINTEL_BUILD LINTEL_BENCH_QUICK=yes

# The places that the aims name with this unit, each once.
places()
{
    awk -F, -v what="$1" 'NR > 1 && $3 == what && !seen[$2]++ { print $2 }' "$aims"
}

# Both print OPERATION,PLACE,WHAT,FIGURE.
mapfile -t models < <(places instructions)
mapfile -t strategies < <(places 'MSR accesses')
{
    "$bench/exits" "${models[@]}" | awk -F, 'NR > 1 { print $2 "," $1 ",instructions," $3 }'
    for benchmark in disk net; do
        "$bench/$benchmark" | awk -F, 'NR > 1 { print $2 "," $1 ",instructions of the host," $3 }'
    done
    "$bench/msr" "${strategies[@]}" | awk -F, 'NR > 1 { print $2 "," $1 ",MSR accesses," $5 + $6 + $7 + $8 }'
} >figures 2>said

[ "${#models[@]}" -gt 0 ] && [ "${#strategies[@]}" -gt 0 ]
result $? "there are aims of both kinds"
while IFS=, read -r operation place what aim; do
    figure=$(awk -F, -v key="$operation,$place,$what" '$1 "," $2 "," $3 == key { print $4 }' figures)
    [ -n "$figure" ] && [ "$figure" -le "$aim" ]
    result $? "$operation on $place takes ${figure:-an unknown number of} $what, at most $aim"
done < <(tail -n +2 "$aims")
plan
