#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# evil_process.sh BUILD TABLE BED [OPTION]: a process that misbehaves is ended, or started again, and nobody else notices: each row of
# the table evil/process.def and of instructions.def, beside a process that watches. BED is a CPU model of Bochs, where there are VMs
# besides, or one of QEMU's without VT-x. OPTION is a word for the hypervisor.
build=$(realpath "$1") lintel=$build/tool/lintel table=$(realpath "$2") bed=$3 option=${4:-}
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/../qemu/common.bash"

image=$build/tests/bochs/evil/lintel-evil-process
PEERS=7 # beside the one that watches
printf 'a file' >file

# What a bed has not: SYSENTER is the gate where there are VMs and no other way to switch MSRs is chosen; Bochs's machine has no PCI
# function with 1 MiB of memory, and its power management has other ports; and QEMU's processor does not look at AC.
case $bed in
max*)
    vms=()
    left_out='sysenter alignment_check controller'
    ;;
*)
    vms=(vm good "$build/guests/state.elf" vm long "$build/guests/victim.elf")
    left_out="window level_line${option:+ sysenter}"
    ;;
esac

is_left_out()
{
    [[ " $left_out " == *" $1 "* ]]
}

# The table, as "GROUP|name|words" and "ROW|name|pattern"; the instructions are groups of six.
rows()
{
    sed -nE -e 's/^(GROUP)\(([a-z0-9_]+), "(.*)"\)$/\1|\2|\3/p' \
        -e 's/^DEED\(([a-z0-9_]+), "(.*)"\)$/ROW|\1|\2/p' \
        -e 's/^EDGE\(([a-z0-9_]+), [a-z]+, 0x([0-9a-f]+)\)$/ROW|\1|stopped for a fault: #PF at [0-9a-f]+, error code [0-9a-f]+, address \2(; it is started again)?/p' \
        "$table"
    sed -nE 's/^INSTRUCTION\(([a-z0-9_]+), "([^"]+)", .*\)$/ROW|\1|stopped for a fault: #\2 at .*/p' "${table%/*}/instructions.def" |
        awk '(NR - 1) % 6 == 0 { print "GROUP|instructions" NR - 1 "|arguments=instructions" } { print }'
}

groups=()
declare -A words members pattern
while IFS='|' read -r kind name what; do
    if [ "$kind" = GROUP ]; then
        group=$name
        is_left_out "$group" || groups+=("$group")
        words[$group]=$what
    else
        members[$group]+="$name "
        pattern[$name]=$what
    fi
done < <(rows)

# run ROW...: the plan's rows, behind those of the VMs.
run()
{
    local end=bochs
    [ ${#vms[@]} -gt 0 ] || end=qemu
    make_boot "end=$end${option:+ $option}" "${vms[@]}" "$@" console "$build/services/lintel-console"
    if [ $end = bochs ]; then
        boot_image boot.iso "$bed" 256 60
    else
        boot_qemu 60 "$bed" -device edu
    fi
    cp said whole
}

# of NAME: a process's lines.
of()
{
    sed -n "s/^lintel: process $1: //p" whole
}

# look GROUP: each of its rows has come, and its end was what the table says.
look()
{
    local name
    of "$1" >said
    for name in ${members[$1]}; do
        is_left_out "$name" && continue
        grep -A 1 -x "$name" said | tail -n 1 | grep -qxE -- "${pattern[$name]}"
        result $? "$1: $name"
    done
    ! grep -q '^unexpected' said
    result $? "$1: all is as expected"
}

# round GROUP...: a process for each, of which each has a channel to the one that watches.
round()
{
    local name plan=(process watcher "$image" arguments=watch dma=0x2000) number=0
    for name; do
        # shellcheck disable=SC2086
        plan+=(process "$name" "$image" dma=0x2000 ${words[$name]})
    done
    for name; do
        number=$((number + 1))
        plan+=(channel 0 $number '')
    done
    run "${plan[@]}"
    grep -A 16 '^lintel: panic' whole >said
    grep -qE '^lintel: end: [12] (VMs|processes), 0 faults$' whole && ! [ -s said ]
    result $? "the hypervisor outlives:$(printf ' %s' "$@")"
    of watcher >said
    grep -qx "watched: [0-9]* rounds, $# others ended" said && ! grep -q '^unexpected\|^stopped' said
    result $? "a process beside them does not notice"
    if [ ${#vms[@]} -gt 0 ]; then
        sed -n 's/^\[good\] //p; s/^lintel: vm good: //p' whole >said
        ! grep -qE '^not ok|^Bail out' said && grep -qE '^1\.\.[0-9]+$' said && grep -q '^powered off: ' said
        result $? "a VM beside them does not notice"
    fi
    for name; do
        look "$name"
    done
}

[ ${#groups[@]} -gt 0 ]
result $? "the table has groups"
for ((i = 0; i < ${#groups[@]}; i += PEERS)); do
    round "${groups[@]:i:PEERS}"
    if [[ " ${groups[*]:i:PEERS} " == *" restarts "* ]]; then
        of restarts >said
        [ "$(grep -c '^stopped for a fault: .*; it is started again$' said)" = 5 ] &&
            tail -n 1 said | grep -q '^stopped for a fault: #UD at [^;]*$'
        result $? "who dies again and again is started again five times"
        of talker >said
        grep -q '^too many lines: [0-9]* left out$' said && [ "$(tail -n 1 said)" = 'ended: done' ]
        result $? "who says too much is cut short, and that is said"
    fi
done
plan
