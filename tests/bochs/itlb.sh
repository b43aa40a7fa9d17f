#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# itlb.sh LINTEL KERNEL CPU: on a CPU that does not deny ITLB multihit, each 2 MiB that a guest executes exit once, and not
# with the mitigation left out (lib/mitigations.def).
lintel=$1 kernel=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

SECONDS_MAX=60

# violations WORDS: how many EPT violations the kernel's run has.
violations()
{
    boot $SECONDS_MAX --cpu "$cpu" --hypervisor-options "clear-memory=yes counters $1" >/dev/null
    sed -nE 's/^lintel: +([0-9]+) EPT violation$/\1/p' said
}

describe "$kernel" 64M 256M
without=$(violations mitigations=-itlb)
says '^lintel: mitigation itlb: left out$' "the log says that it is left out"
with=$(violations '')
says '^lintel: mitigation itlb$' "the log says that it is done"
pieces=$(sed -nE 's/^# ([0-9]+) pieces of 2 MiB$/\1/p' said)
# the kernel itself is in one more, or two
more=$((${with:-0} - ${without:-0} - ${pieces:-0}))
[ "${pieces:-0}" -gt 20 ] && [ $more -ge 1 ] && [ $more -le 2 ]
result $? "${pieces:-?} pieces are executed: ${with:-?} EPT violations, not ${without:-?}"
plan
