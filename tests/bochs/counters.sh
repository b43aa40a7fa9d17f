#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# counters.sh LINTEL KERNEL STRATEGY: what the option `counters` says of the switched MSRs of two VMs on one CPU (R32): values
# that were right already are left as they were; with `area` the processor switches, and software does nothing.
lintel=$1 kernel=$(realpath "$2") strategy=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

printf 'host:\n  memory: 256M\nvms:\n' >vm.yaml
printf '  - {name: %s, kernel: '"$kernel"', memory: 16M}\n' a b >>vm.yaml
boot 60 --hypervisor-options "counters console=lines msr-switch=$strategy"
result $? "$strategy: the run ends well"
for name in a b; do
    read -r written read left < <(sed -nE \
        "s/^lintel: vm $name: resident MSRs: ([0-9]+) WRMSR, ([0-9]+) RDMSR, ([0-9]+) left as they were$/\1 \2 \3/p" said)
    case $strategy in
    area) [ "$written $read $left" = '0 0 0' ] ;;
    none-needed) [ "$written" -gt 0 ] && [ "$read" -gt 0 ] && [ "$left" -gt "$written" ] ;;
    *) [ "$written" -gt "$left" ] && [ "$read" -gt 0 ] && [ "$left" -gt 0 ] ;;
    esac
    result $? "$strategy: VM $name: ${written:-?} written, ${read:-?} read, ${left:-?} left as they were"
done
plan
