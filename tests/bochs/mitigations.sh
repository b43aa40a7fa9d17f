#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# mitigations.sh LINTEL BENCH CPU INSTRUCTIONS: what the hypervisor of LINTEL_HYPERVISOR, in which VERW and the clearing of the
# branch history are done although the CPU has no need of them, adds to an exit that ring 0 answers. docs/mitigations.md has the sum.
lintel=$1 kernel=$(realpath "$2") cpu=$3 expected=$4
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

SECONDS_MAX=100

# cost: of a CPUID, in instructions.
cost()
{
    boot $SECONDS_MAX --cpu "$cpu" --hypervisor-options hide= >/dev/null
    sed -nE 's/^cpuid,([0-9]+)$/\1/ip' said
}

planted=$LINTEL_HYPERVISOR
describe "$kernel" 64M 256M
unset LINTEL_HYPERVISOR
without=$(cost)
export LINTEL_HYPERVISOR=$planted
with=$(cost)
[ -n "$with" ] && [ -n "$without" ] && [ $((with - without)) = "$expected" ]
result $? "a CPUID takes $expected instructions more than without: ${with:-?}, not ${without:-?}"
plan
