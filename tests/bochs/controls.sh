#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# controls.sh LINTEL KERNEL CONTROLS.DEF: what hiding a VMX control does (R10). Without a needed one Lintel stops and
# names it, on a CPU that has no EPT as well; a wanted one is missing in the table that Lintel goes by.
lintel=$1 kernel=$(realpath "$2") table=$(realpath "$3")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
# names NEED: the controls with this word in their row.
names()
{
    sed -n 's/^CONTROL(.*, "\([a-z0-9-]*\)", '"$1"',.*/\1/p' "$table"
}

names NEEDED >needed
names WANTED >wanted
[ -s needed ] && [ -s wanted ]
result $? "the table names needed and wanted controls"
while read -r name; do
    boot 60 --hypervisor-options "hide=$name"
    [ $? = 1 ] && grep -qE "^lintel: stopped: this CPU lacks $name \(needed\)" said
    result $? "without $name: a plain verdict"
done <needed
while read -r name; do
    boot 60 --hypervisor-options "caps hide=$name"
    [ $? = 0 ] && grep -qE "^lintel: $name +absent \(wanted\) " said
    result $? "without $name: the table says so, and what is lost"
done <wanted
boot 60 --cpu core2_penryn_t9600
[ $? = 1 ] && grep -qE '^lintel: stopped: this CPU lacks .*\(needed\)' said
result $? "on a CPU without EPT: a plain verdict"
boot 60 --hypervisor-options msr-switch=list
[ $? = 1 ] && grep -qx 'lintel: stopped: msr-switch=list: this CPU lacks RDMSRLIST and WRMSRLIST' said
result $? "a way to switch MSRs that the CPU has not the instructions for: a plain verdict"
boot 10 --cpu p4_willamette # it is halted, and the tool goes by its limit
says '^lintel: stopped: this CPU has no 64-bit mode$' "on a CPU without 64-bit mode: a plain verdict"
plan
