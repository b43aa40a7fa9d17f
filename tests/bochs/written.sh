#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# written.sh LINTEL CPU SPIN FAULT: what was written comes out while a guest spins with interrupts off: its own lines, those of the
# hypervisor, and the report of another VM's fault. Such a guest does not end; the test ends the run when all has come.
lintel=$1 cpu=$2 spin=$(realpath "$3") fault=$(realpath "$4")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

SECONDS_MAX=90

# run_until COUNT PATTERN [OPTION...]: runs vm.yaml until so many lines match, or time is over.
run_until()
{
    local count=$1 pattern=$2
    shift 2
    boot $SECONDS_MAX --cpu "$cpu" "$@" &
    for ((i = 0; i < 10 * SECONDS_MAX; i++)); do
        [ "$(grep -cE -- "$pattern" said 2>/dev/null)" = "$count" ] && break
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    pkill -TERM -P $! 2>/dev/null
    wait $! 2>/dev/null
    [ "$(grep -cE -- "$pattern" said)" = "$count" ]
}

describe "$spin" 16M
run_until 40 '^# line [0-9]+ of 40, as long as a line of a kernel.s log$'
result $? "all that a guest wrote before it spun comes out"
says '^lintel: 8 start$' "and what the hypervisor wrote before"

describe "$spin" 8M
printf '  - {name: fault, kernel: %s, memory: 16M}\n' "$fault" >>vm.yaml
run_until 1 '^lintel: vm fault: stopped for a fault: .*an instruction that is not emulated'
result $? "the report of another VM's fault comes out"
plan
