#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# homes.sh LINTEL CPU OPTIONS KERNEL...: VMs at home on CPUs of their own, the last one on the first CPU with the console: all test
# kernels pass, and what they say comes across.
lintel=$1 cpu=$2 options=$3
shift 3
mapfile -t kernels < <(realpath "$@")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

number=0
echo 'vms:' >vm.yaml
for kernel in "${kernels[@]}"; do
    number=$((number + 1))
    printf '  - {name: vm%d, kernel: %s, memory: 16M, cpus: [%d]}\n' $number "$kernel" $((number % $#)) >>vm.yaml
done
boot 200 --cpu "$cpu" --hypervisor-options "console=lines${options:+ $options}"
result $? "the run ends well"
says "^lintel: $(($# - 1)) other CPUs run$" "the machine has as many CPUs as the VMs' homes"
says "^lintel: end: $# VMs, 0 faults$" "all VMs run to their end"
for ((number = 1; number <= $#; number++)); do
    says "^\\[vm$number\\] 1\\.\\.[0-9]+$" "CPU $((number % $#)): a kernel ends"
    ! grep -qE "^\\[vm$number\\] not ok" said
    result $? "and says nothing against it"
done
plan
