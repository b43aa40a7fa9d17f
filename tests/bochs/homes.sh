#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# homes.sh BUILD CPU OPTIONS KERNEL...: VMs at home on CPUs of their own, the last one on the first CPU with the console: all test
# kernels pass, and what they say comes across.
build=$(realpath "$1") lintel=$build/tool/lintel cpu=$2 options=$3
shift 3
mapfile -t kernels < <(realpath "$@")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/../qemu/common.bash"

rows=() number=0
for kernel in "${kernels[@]}"; do
    number=$((number + 1))
    rows+=(vm "vm$number" "$kernel" "vcpu=$((number % $#))")
done
make_boot "end=bochs $options" "${rows[@]}" console "$build/services/lintel-console"
result $? "$# VMs on as many CPUs"
cpus=$# boot_image boot.iso "$cpu" 256 200
says "^lintel: end: $# VMs, 0 faults$" "all run to their end"
for ((number = 1; number <= $#; number++)); do
    says "^\\[vm$number\\] 1\\.\\.[0-9]+$" "CPU $((number % $#)): a kernel ends"
    ! grep -qE "^\\[vm$number\\] not ok" said
    result $? "and says nothing against it"
done
plan
