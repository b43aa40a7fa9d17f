#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# stopped.sh LINTEL KERNEL CPU PATTERN [OPTION...]: a kernel that cannot go on: its VM is stopped with a report, and nothing else.
lintel=$1 kernel=$(realpath "$2") cpu=$3 pattern=$4
shift 4
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M 256M 'on-fault: stop'
boot 60 --cpu "$cpu" "$@"
[ $? = 1 ]
result $? "the tool's exit code tells of the fault"
says "^lintel: vm test: stopped for a fault: .*$pattern" "the report says what happened"
says '^lintel: vm test: vcpu 0: rip [0-9a-f]{4}:[0-9a-f]{16}' "the report has the last state"
says '^lintel: end: 1 VMs, 1 faults$' "the hypervisor ends in good order"
! grep -aq '^Bail out!' said
result $? "the kernel did not go on"
plan
