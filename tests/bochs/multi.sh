#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# multi.sh LINTEL CPU OPTIONS KERNEL...: several test kernels at once, a VM for each; all their verdicts are this test's.
# OPTIONS are words for the hypervisor, or empty.
lintel=$1 cpu=$2 options=$3
shift 3
kernels=()
for kernel; do
    kernels+=("$(realpath "$kernel")")
done
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

printf 'host:\n  memory: 256M\nvms:\n' >vm.yaml
for i in "${!kernels[@]}"; do
    printf '  - {name: vm%d, kernel: %s, memory: 16M}\n' "$i" "${kernels[i]}" >>vm.yaml
done
boot 90 --cpu "$cpu" --hypervisor-options "console=lines${options:+ $options}"
[ $? = 0 ] && grep -qx "lintel: end: $# VMs, 0 faults" said
result $? "the run ends well"
cp said whole
for i in "${!kernels[@]}"; do
    name=$(basename "${kernels[i]}" .elf)
    sed -n "s/^\[vm$i\] //p" whole >said
    grep -E '^(ok|not ok) [0-9]+ - |^# ' said | sed -E "s/^((not )?ok) [0-9]+ - /\1 - $name $i: /"
    tests=$(grep -cE '^(ok|not ok) [0-9]+ - ' said)
    count=$((count + tests))
    [ "$tests" -gt 0 ] && [ "$(grep -E '^1\.\.|^Bail out!' said)" = "1..$tests" ]
    result $? "$name, VM $i, ends with its plan"
done
plan
