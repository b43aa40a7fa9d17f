#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# disk_ata.sh LINTEL CLIENT MORTAL KERNEL BROKEN: a disk of the emulated machine, its driver, and clients in monitors' places.
# What is written is there in the next run; a hostile client, a driver that dies, a disk that fails and a damaged table harm nobody.
lintel=$1 client=$(realpath "$2") mortal=$(realpath "$3") kernel=$(realpath "$4") broken=$(realpath "$5")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
export LINTEL_MONITOR=$client PATH=$PATH:/usr/sbin:/sbin

# vms ROLE[-NUMBER]...: writes vm.yaml with a VM for each role, which it is named after. Of those with a partition of their own the
# partition has the same name; the others share write's. The remains are of the dead with the same number.
vms()
{
    local role disk
    printf 'host:\n  memory: 256M\n  disks:\n    - {name: d0, driver: ata, file: disk.img, size: 32M}\nvms:\n' >vm.yaml
    for role; do
        case $role in
        write | hostile | errors | dies-*) disk="partition: $role, size: 4M" ;;
        remains-*) disk="partition: ${role/remains/dies}" ;;
        none | shorter) disk='partition: write' ;;
        *) disk='partition: write, read-only: yes' ;;
        esac
        printf '  - {name: %s, kernel: %s, memory: 16M, cmdline: %s, disk: {on: d0, %s}}\n' "$role" "$kernel" "${role%-*}" "$disk" \
            >>vm.yaml
    done
}

# good NAME: no VM has failed, and the run has come to its end.
good()
{
    grep -q '^lintel: end: [0-9]* VMs, 0 faults$' said && ! grep -q 'not ok\|panic' said
    result $? "$1"
}

# run ROLE...
run()
{
    vms "$@"
    boot 90
}

run write hostile
good 'two clients, of which one is hostile'
says 'vm write: ok all that was written was flushed and read again; .* 0 times' 'one writes and reads 4 MiB'
says 'vm hostile: ok it was hostile, and had answers' 'the other one was heard'
cp disk.img written.img

run read refused
good 'two clients that read one partition'
says 'vm read: ok all that was written is there' 'what was written is there in the next run'
says 'vm refused: ok the disk may be read and not written' 'who may only read may not write'
cmp -s disk.img written.img
result $? 'reading has changed nothing'

LINTEL_ATA=$mortal run write
good 'a driver that dies'
[ "$(grep -c 'process d0: stopped for a fault: .* it is started again' said)" = 4 ]
result $? 'four times, before or behind a call that chance says'
says 'vm write: ok all that was written' 'its client has what it wrote, whatever the driver died of'
run read
says 'vm read: ok all that was written is there' 'and so it is in the next run'

# What the tool would have told: the disk changes behind its back, when the emulator starts.
# run_with COMMAND ROLE...
run_with()
{
    before=$1
    shift
    run "$@"
}
before_bochs

# A byte of the first header's disk GUID.
cp disk.img damaged.img
printf X | dd of=damaged.img bs=1 seek=$((512 + 56)) conv=notrunc 2>/dev/null
run_with 'cp damaged.img disk.img' write
says 'checksum is wrong; the copy at the disk.s end is used, nothing is written' 'a damaged table is told'
says 'write may only read lintel-write: the disk.s partition table is damaged' 'and that nothing is written'
says 'vm write: not ok' 'nor is it'
cp written.img disk.img
run_with 'cp damaged.img disk.img' read
says 'vm read: ok all that was written is there' 'what was written can still be read'
cmp -s disk.img damaged.img
result $? 'and nothing has changed'

cp written.img disk.img
run_with 'dd if=/dev/zero of=disk.img bs=512 count=1 conv=notrunc' none hostile
says 'vm none: ok there is no disk' 'without a table there is no disk'
says 'the disk.s partition table: there is none' 'and the log says so'

# bad_table NAME COMMAND PATTERN: after it the VM has no disk, the log says why, and the disk is as the command has left it.
bad_table()
{
    cp written.img disk.img
    run_with "$2; cp disk.img left.img" none
    says "$3" "$1: the log says so"
    says 'vm none: ok there is no disk' "$1: there is no disk"
    cmp -s disk.img left.img
    result $? "$1: and nothing is written"
}
bad_table 'no such partition' 'sfdisk -q --part-label disk.img 1 lintel-other' 'none does not get lintel-write: no partition has this label'
bad_table 'two of them' 'sfdisk -q --part-label disk.img 2 lintel-write' 'none does not get lintel-write: two partitions have this label'
bad_table 'a smaller disk' 'truncate -s 16M disk.img' "the disk.s partition table: .*it is for a larger disk"
bad_table 'a table damaged twice' \
    'for at in 1084 $((32 * 1048576 - 33 * 512 + 60)); do printf x | dd of=disk.img bs=1 seek=$at conv=notrunc status=none; done' \
    "the disk.s partition table: its entries. checksum is wrong"

# The partition's second half is cut off the file while the emulator reads it.
cp written.img disk.img
run_with '(sleep 3; truncate -s 3M disk.img) &' shorter
says 'vm shorter: ok the disk.s error is an error, and it goes on' 'a disk that fails'
says 'the disk failed: read at sector' 'and the log says so'

# Sectors of a client's partition, the disk's second, that can be neither read nor written (client.c says which).
rm disk.img
run_with "export LD_PRELOAD=$broken BROKEN='$work/disk.img $((2048 + 8192 + 20)) 8'" write errors
good 'a disk with sectors that fail'
says 'vm errors: ok what fails is told, and only that' 'who asks for them hears so'
says 'vm write: ok all that was written was flushed and read again; .* 0 times' 'and nobody else'

# Monitors that die with requests under way. Their memory stays theirs: nobody starts in it again.
rm disk.img
run_with : write dies-1 dies-2 dies-3
grep -q '^lintel: end: 4 VMs, 3 faults$' said && [ "$(grep -c '^lintel: vm dies-[123]: stopped for a fault: its monitor: #UD' said)" = 3 ]
result $? 'three monitors that die with requests under way stay dead'
says 'vm write: ok all that was written was flushed and read again; .* 0 times' 'another one does not notice'
! grep -q 'process d0: stopped\|not ok\|panic' said
result $? 'nor does the driver'
run_with : read remains-1 remains-2 remains-3
good 'what the dead have written'
[ "$(grep -c '^lintel: vm remains-[123]: ok each sector is as it was written or was' said)" = 3 ]
result $? 'is whole, sector by sector'
says 'vm read: ok all that was written is there' 'and so is what the other one has'
plan
