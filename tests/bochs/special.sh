#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# special.sh LINTEL OPTIONS KERNEL...: test kernels side by side on one CPU, so that each is preempted at any place, under a
# hypervisor with these options. Each kernel's verdict is one test.
lintel=$1 options=$2
shift 2
kernels=()
for kernel; do
    kernels+=("$(realpath "$kernel")")
done
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
# shellcheck source=tests/bochs/several.bash
. "$(dirname "$(realpath "$0")")/several.bash"

printf 'host:\n  memory: 512M\nvms:\n' >vm.yaml
for kernel in "${kernels[@]}"; do
    printf '  - name: %s\n    kernel: %s\n    memory: 32M\n' "$(basename "$kernel" .elf)" "$kernel" >>vm.yaml
done
boot 120 --hypervisor-options "$options console=lines"
result $? "$options: the run ends in good order"
for kernel in "${kernels[@]}"; do
    name=$(basename "$kernel" .elf)
    vm_passes "$name" 1
    result $? "$options: $name"
done
plan
