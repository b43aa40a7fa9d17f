#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# written.sh LINTEL CPU SPIN FAULT: what was written comes out while a guest spins with interrupts off: its own lines, those of the
# hypervisor, and the report of another VM's fault. Such a guest does not end; the test ends the run when all has come.
lintel=$1 cpu=$2 spin=$(realpath "$3") fault=$(realpath "$4")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

SECONDS_MAX=90

describe "$spin" 16M
boot_until 40 '^# line [0-9]+ of 40, as long as a line of a kernel.s log$' $SECONDS_MAX --cpu "$cpu"
result $? "all that a guest wrote before it spun comes out"
says '^lintel: 8 start$' "and what the hypervisor wrote before"

describe "$spin" 8M
printf '  - {name: fault, kernel: %s, memory: 16M}\n' "$fault" >>vm.yaml
boot_until 1 '^lintel: vm fault: stopped for a fault: .*an instruction that is not emulated' $SECONDS_MAX --cpu "$cpu"
result $? "the report of another VM's fault comes out"
plan
