#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cpus.sh LINTEL KERNEL CPUS [LINE]: all CPUs of a machine start, enter VMX operation and sleep, woken by interrupts, with machine checks on
# (R44); at the end of the run each has left VMX operation (R4). Bochs's debugger looks at them then. Boot says LINE.
lintel=$1 kernel=$(realpath "$2") cpus=$3 line=${4:-}
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
"$lintel" image --end bochs -o cpus.iso vm.yaml >said 2>&1
result $? "the image is written"
at_end=
for ((i = 1; i < cpus; i++)); do
    at_end+="set \$cpu = $i"$'\nregs\ncreg\n'
done
boot_image cpus.iso corei7_skylake_x 256 120
says "^lintel: $((cpus - 1)) other CPUs run$" "the others run"
[ -z "$line" ] || says "^lintel: $line$" 'boot says what it found of them'
says '^lintel: end: 1 VMs, 0 faults$' "the VM runs to its end"
for ((i = 1; i < cpus; i++)); do
    sed -n "/^CPU$i:/,/^CPU$((i + 1)):/p" bochs.out >said
    says "^rip: ffffffff_8" "CPU $i is in the hypervisor"
    says '^CR4=.* MCE ' "it has machine checks on"
    says '^CR4=.* vmx ' "it has left VMX operation"
done
plan
