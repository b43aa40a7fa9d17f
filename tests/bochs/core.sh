#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# core.sh BUILD CPU: on-fault: core. A VM that stops for a fault leaves a core that gdb opens, with the place of the fault and a backtrace;
# one that ends otherwise leaves none; and the machine ends as soon as they are there.
# So does one whose monitor breaks.
build=$(realpath "$1") cpu=$2 lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/broken.bash
. "$here/broken.bash"

SECONDS_MAX=150

# opens VM KERNEL INSTRUCTION: gdb shows the place of the fault, this instruction of guest_main.
opens()
{
    gdb -batch -nx -ex 'info threads' -ex backtrace -ex 'x/i $pc' "$build/guests/$2.elf" "logs/$1.core" >said 2>&1 </dev/null
    grep -q '^\* 1 .*LWP 1' said && grep -q '^#0 .*guest_main ()' said && grep -q '^#1 .* in guest_start (' said &&
        grep -qE "^=> .*$3" said
    result $? "vm $1: gdb opens its core, and shows where it was"
}

cat >vm.yaml <<END
vms:
  - {name: a, kernel: $build/guests/bad_mmio.elf, memory: 16M, on-fault: core}
  - {name: b, kernel: $build/guests/idle.elf, memory: 16M, on-fault: core}
  - {name: c, kernel: $build/guests/triple_fault.elf, memory: 16M, on-fault: core}
END
# what is zero is not sent
boot $SECONDS_MAX --cpu "$cpu" --log logs --hypervisor-options clear-memory=yes
[ $? = 1 ]
result $? 'the run ends, with the code of a fault'
says '^lintel: end: 3 VMs, 2 faults$' 'by itself'
says '^lintel: process control: all VMs have ended; what they have left can be fetched' 'the log tells that they are held'
says '^lintel: vm c: its core is there: gdb .*/triple_fault.elf logs/c.core$' 'the tool tells of a core'
[ -e logs/a.core ] && [ ! -e logs/b.core ] && [ -e logs/c.core ]
result $? 'each VM that stopped for a fault has its core, and no other'
opens a bad_mmio addps
opens c triple_fault int3

# A monitor that breaks, where its guest reads the UART.
break_at "$build/monitor/lintel-monitor" uart_in
printf 'vms:\n  - {name: m, kernel: %s/guests/triple_fault.elf, memory: 16M, on-fault: core}\n' "$build" >vm.yaml
LINTEL_MONITOR=$work/broken boot $SECONDS_MAX --cpu "$cpu" --log logs --hypervisor-options clear-memory=yes
[ $? = 1 ]
result $? 'a monitor that breaks: its VM stops for a fault'
says '^lintel: vm m: stopped for a fault: .*#UD' 'which is told'
gdb -batch -nx -ex backtrace "$build/guests/triple_fault.elf" logs/m.core >said 2>&1 </dev/null
grep -q '^#0 .*wait_for_line_status (' said && grep -q ' in guest_start (' said
result $? 'gdb opens its core, and shows where it waited for its monitor'
plan
