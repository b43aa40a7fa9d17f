#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# parked.sh LINTEL KERNEL CPUS: on a machine with several CPUs, those that Lintel does not use sleep in its own page, with
# interrupts off and machine checks on (R44). Bochs's debugger looks at one of them.
lintel=$1 kernel=$(realpath "$2") cpus=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
"$lintel" image --end bochs -o parked.iso vm.yaml >said 2>&1
result $? "the image is written"
at_end=$'set $cpu = 1\nregs\ncreg\n'
boot_image parked.iso corei7_skylake_x 256 120 "cpu: model=corei7_skylake_x, count=$cpus, ips=10000000, reset_on_triple_fault=0, ignore_bad_msrs=0"
says "^lintel: $((cpus - 1)) of $((cpus - 1)) other CPUs are parked$" "the others are parked"
says '^lintel: end: 1 VMs, 0 faults$' "the VM runs to its end"
sed -n '/^CPU1:/,$p' bochs.out >said
says '^eflags:? .* if ' "one that is parked has interrupts off"
says '^CR4=.* MCE ' "it has machine checks on"
says '^\(1\).*: jmp \.-3 ' "it sleeps"
plan
