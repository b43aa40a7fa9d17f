#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# evil.sh LINTEL MONITOR TABLE GUESTS MACROS [OPTION]: a monitor that misbehaves harms its own VM and nothing else.
# Each row MACRO(...) of the tables evil/misdeeds.def and instructions.def gets a VM; seven of them run at once beside one that behaves. MACROS is
# one or several, with | between them; GUESTS is the folder of the test kernels; OPTION is a word for the hypervisor.
lintel=$1 monitor=$(realpath "$2") table=$(realpath "$3") guests=$(realpath "$4") macros=$5 option=${6:-}
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
export LINTEL_MONITOR=$monitor

# vm NAME KERNEL CMDLINE: adds a VM to vm.yaml.
vm()
{
    printf '  - {name: %s, kernel: %s, memory: 8M, cmdline: "%s"}\n' "$1" "$guests/$2.elf" "$3" >>vm.yaml
}

# of_vm NAME: a VM's lines, of the guest and about it; they are what a failure shows.
of_vm()
{
    sed -n "s/^\[$1\] //p; s/^lintel: vm $1: //p" whole | tee said
}

# round NAME...: the VMs of these misdeeds, and one that behaves, which comes last.
round()
{
    local name
    printf 'host:\n  memory: 256M\nvms:\n' >vm.yaml
    for name; do
        vm "$name" "${kernel[$name]}" "$name"
    done
    vm good state ''
    boot 60 --hypervisor-options "console=lines${option:+ $option}"
    cp said whole
    grep -A 16 '^lintel: panic' whole >said
    grep -qE "^lintel: end: $(($# + 1)) VMs, [0-9]+ faults\$" whole && ! [ -s said ]
    result $? "the hypervisor outlives:$(printf ' %s' "$@")"
    of_vm good >lines
    ! grep -qE '^not ok|^Bail out' lines && grep -qE '^1\.\.[0-9]+$' lines && grep -q '^powered off: ' lines
    result $? "a VM beside them does not notice"
    for name; do
        of_vm "$name" >lines
        grep -qxE -- "${pattern[$name]}" lines && ! grep -q 'unexpected: ' lines
        result $? "$name"
    done
}

declare -A kernel pattern
names=()
while IFS='|' read -r name guest expected; do
    names+=("$name")
    kernel[$name]=$guest
    pattern[$name]=$expected
done < <(sed -nE -e 's/^(MISDEED|BY_SYSENTER)\(([a-z0-9_]+), ([a-z0-9_]+), "(.*)"\)$/\1|\2|\3|\4/p' \
    -e 's/^(INSTRUCTION)\(([a-z0-9_]+), "([^"]+)", .*\)$/\1|\2|idle|stopped for a fault: its monitor: #\3 .*/p' "$table" "${table%/*}/instructions.def" |
    sed -nE "s/^($macros)\|//p")
[ ${#names[@]} -gt 0 ]
result $? "the table has rows of ${macros//|/ and }"
for ((i = 0; i < ${#names[@]}; i += 7)); do
    round "${names[@]:i:7}"
    if [[ " ${names[*]:i:7} " == *" spin "* ]]; then
        sed -n 's/^lintel: vm \(good\|spin\): powered off: .*/\1/p' whole | tr '\n' ' ' >said
        [ "$(cat said)" = 'good spin ' ]
        result $? "nobody waits for who spins"
    fi
done
plan
