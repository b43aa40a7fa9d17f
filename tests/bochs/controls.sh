#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# controls.sh LINTEL KERNEL CONTROLS.DEF: without each needed VMX control Lintel stops and names it (R10); on a CPU
# without EPT likewise.
lintel=$1 kernel=$(realpath "$2") table=$(realpath "$3")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
sed -n 's/^CONTROL(.*, "\([a-z0-9-]*\)", NEEDED,.*/\1/p' "$table" >names
[ -s names ]
result $? "the table names needed controls"
while read -r name; do
    boot 60 --hypervisor-options "hide=$name"
    [ $? = 1 ] && grep -qE "^lintel: stopped: this CPU lacks $name \(needed\)" said
    result $? "without $name: a plain verdict"
done <names
boot 60 --cpu core2_penryn_t9600
[ $? = 1 ] && grep -qE '^lintel: stopped: this CPU lacks .*\(needed\)' said
result $? "on a CPU without EPT: a plain verdict"
plan
