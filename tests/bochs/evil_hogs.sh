#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# evil_hogs.sh BUILD TABLE CPU: a process that takes too much, each way of the table evil/process.def, beside a VM and beside another
# process: their work is counted, and they keep their share in each window of 100 ms (docs/bounds.md).
build=$(realpath "$1") lintel=$build/tool/lintel table=$(realpath "$2") cpu=$3
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/../qemu/common.bash"

image=$build/tests/bochs/evil/lintel-evil-process
# The power management's ports and interrupt, as Bochs's firmware places them, and the interval timer's.
hog=(process hog "$image" arguments=take dma=0x1000 ports=0xb000:4 interrupt=11 ports=0x40:4 interrupt=0)

# beside NAME ROW...: a run with the hog, which serves a channel of who is beside it.
beside()
{
    make_boot end=bochs "${@:2}" console "$build/services/lintel-console"
    boot_image boot.iso "$cpu" 256 60
    cp said whole
    sed -n 's/^\(\[victim\] \|lintel: process worker: \)#* *\(worst window\)/# \2/p' whole
    grep -A 16 '^lintel: panic' whole >said
    grep -qE '^lintel: end: 1 (VMs|processes), 0 faults$' whole && ! [ -s said ]
    result $? "the hypervisor outlives a process that takes too much, beside $1"
    sed -n 's/^lintel: process hog: //p' whole >said
    for name in $(sed -n 's/^HOG(\(.*\))$/\1/p' "$table"); do
        grep -q "^$name; " said || echo "# $name did not come" >>missing
    done
    ! [ -s missing ]
    result $? "each way was tried"
    cp whole said
}

beside 'a VM' vm victim "$build/guests/victim.elf" "${hog[@]}" channel v0 0 ''
sed -n 's/^\[victim\] //p' whole >said
grep -qE '^1\.\.' said && ! grep -qE '^not ok|^Bail out' said
result $? "a VM keeps its share"
beside 'a process' process worker "$image" arguments=work dma=0x1000 "${hog[@]}" channel 0 1 ''
sed -n 's/^lintel: process worker: //p' whole >said
grep -qx 'ended: done' said && ! grep -q '^unexpected\|^stopped' said
result $? "a process keeps its share"
plan
