#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# residue.sh LINTEL KERNEL CPU OPTIONS ORDER...: several VMs audit one CPU for what the others leave there (R35), once for
# each ORDER, a word with a letter for each VM. A letter stands for a memory size, and so for that VM's canaries.
# residue.sh LINTEL KERNEL CPU OPTIONS leaks PATTERN: the hypervisor of LINTEL_HYPERVISOR leaks, and the audit must name
# what: at least one of its findings matches PATTERN, the first of which ends the run.
lintel=$1 kernel=$(realpath "$2") cpu=$3 options=$4
shift 4
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

words=(--cpu "$cpu" --hypervisor-options "$options console=lines")
STARTS=3 # of the kernel: a plan is printed at the end of each

# describe_order ORDER: writes vm.yaml with a VM for each letter.
describe_order()
{
    printf 'host:\n  memory: 384M\nvms:\n' >vm.yaml
    for name in $(fold -w1 <<<"$1"); do
        printf '  - name: %s\n    kernel: %s\n    memory: %dM\n' "$name" "$kernel" $((16 + 2 * ($(printf %d "'$name") % 8))) \
            >>vm.yaml
    done
}

# vm_passes NAME: each of its starts came to its plan, and no line tells of a value that is not its own; what does is shown.
vm_passes()
{
    local plans
    plans=$(grep -acE "^\[$1\] 1\.\.[1-9][0-9]*$" said)
    if [ "$plans" = $STARTS ] && ! grep -aqE "^\[$1\] (not ok|Bail out!)" said; then
        return 0
    fi
    grep -aE "^\[$1\] (not ok|#|Bail out!|1\.\.)" said | head -n 20 | sed 's/^/# /'
    return 1
}

if [ "${1:-}" = leaks ]; then
    describe_order abcd
    boot_until 1 "^\[.\] (# ($2) .*, but its own is |not ok [0-9]+ - .*($2))" 120 "${words[@]}"
    found=$?
    grep -aE '^\[.\] (not ok |# .*, but its own is )' said | head -n 12 | sed 's/^/# /'
    result $found "$options: a planted leak is found: $2"
else
    for order; do
        describe_order "$order"
        boot 120 "${words[@]}"
        result $? "$options, VMs $order: the run ends in good order"
        for name in $(fold -w1 <<<"$order"); do
            vm_passes "$name"
            result $? "$options, VMs $order: $name finds nothing that is not its own"
        done
    done
fi
plan
