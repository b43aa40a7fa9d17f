#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# controls.sh LINTEL KERNEL CONTROLS.DEF: what hiding a VMX control does (R10). Without a needed one Lintel stops and
# names it, on a CPU that has no EPT as well; a wanted one is missing in the table that Lintel goes by.
lintel=$1 kernel=$(realpath "$2") table=$(realpath "$3")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
# The rows, as "NAME NEED".
sed -n 's/^CONTROL(.*, "\([a-z0-9-]*\)", \([A-Z]*\),.*/\1 \2/p' "$table" | tr '[:upper:]' '[:lower:]' >rows
grep -q ' needed$' rows && grep -q ' wanted$' rows
result $? "the table names needed and wanted controls"
# Eight at once are hidden, as many as the option takes; test_vmx_caps.c hides each alone.
for need in needed wanted; do
    [ $need = needed ] && verdict='cannot run' || verdict=runs
    sed -n "s/ $need\$//p" rows | paste -sd ',,,,,,,\n' >groups
    while IFS= read -r names; do
        boot 60 --hypervisor-options "caps hide=${names%%,}"
        for name in ${names//,/ }; do
            says "^lintel: $name +absent \($need\) +[^ ]" "without $name: the table says so, and what is lost"
        done
        says "^lintel: caps: verdict: Lintel $verdict on this CPU$" "the table's verdict, where it is $need"
    done <groups
done
for name in $(sed -n 's/ needed$//p' rows | sed -n '1p;$p'); do
    boot 60 --hypervisor-options "hide=$name"
    [ $? = 1 ] && grep -qE "^lintel: stopped: this CPU lacks $name \(needed\)" said
    result $? "without $name: a plain verdict"
done
boot 60 --cpu core2_penryn_t9600
[ $? = 1 ] && grep -qE '^lintel: stopped: this CPU lacks .*\(needed\)' said
result $? "on a CPU without EPT: a plain verdict"
boot 60 --hypervisor-options msr-switch=list
[ $? = 1 ] && grep -qx 'lintel: stopped: msr-switch=list: this CPU lacks RDMSRLIST and WRMSRLIST' said
result $? "a way to switch MSRs that the CPU has not the instructions for: a plain verdict"
boot_until 1 '^lintel: stopped: this CPU has no 64-bit mode$' 60 --cpu p4_willamette # it is halted, and would wait for its limit
result $? "on a CPU without 64-bit mode: a plain verdict"
plan
