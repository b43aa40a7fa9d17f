#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# disk.sh BUILD CONTROLLER [broken]: Lintel without a VM, on QEMU's processor, which has no VT-x: a disk's driver and a client of it
# (client.c), and the disk's file afterwards. With `broken` a sector of the disk cannot be read.
build=$(realpath "$1") controller=$2 broken=${3:-}
lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"

SECONDS_MAX=60
FIRST=2048 SECTORS=24576 # the partition
FILE_SECTORS=$((FIRST + SECTORS + 2048))
BAD=777 # of the partition
label=lintel-test

# The driver's row of the plan, and QEMU's words.
case $controller in
ahci)
    driver=(class=0x010601 dma=0x40000)
    device=(-device "ich9-ahci,id=a" -device "ide-hd,drive=d,bus=a.1")
    ;;
ata)
    driver=(class=0x010180 ports=0x1f0:8 ports=0x3f6:1 interrupt=14 dma=0x40000)
    device=(-device "ide-hd,drive=d,bus=ide.0,unit=0")
    ;;
nvme)
    driver=(class=0x010802 dma=0x40000)
    device=(-device "nvme,drive=d,serial=1")
    ;;
ram)
    # The whole of its file, which it copies where it is written.
    driver=(file=ram dma=0x420000)
    device=()
    SECTORS=8192 label=
    head -c $((SECTORS * 512)) /dev/zero >ram
    ;;
esac

make_disk()
{
    head -c $((FILE_SECTORS * 512)) /dev/urandom >disk
    printf 'label: gpt\nstart=%d, size=%d, type=linux, name="lintel-test"\n' $FIRST $SECTORS |
        PATH=$PATH:/sbin:/usr/sbin sfdisk --quiet --no-reread --no-tell-kernel --wipe always disk
    cp disk before
}

# The plan, what it names, and a menu for them.
make_boot()
{
    local file number=0
    mkdir -p tree/boot/grub
    "$build/tests/qemu/plan" tree/boot/plan process disk "$build/drivers/lintel-$controller" "${driver[@]}" \
        process client "$build/tests/qemu/client" "arguments=sectors=$SECTORS${broken:+ bad=$BAD}" channel 1 0 "$label" >files || return
    cp "$build/hypervisor/lintel-hypervisor" "$build/monitor/lintel-monitor" tree/boot
    {
        printf 'set timeout=0\nmenuentry Lintel {\n'
        printf '  multiboot2 /boot/lintel-hypervisor end=qemu\n'
        printf '  module2 /boot/plan plan\n  module2 /boot/lintel-monitor monitor\n'
        while read -r file; do
            cp "$file" "tree/boot/file-$number"
            printf '  module2 /boot/file-%d file-%d\n' $number $number
            number=$((number + 1))
        done <files
        printf '}\n'
    } >tree/boot/grub/grub.cfg
    make_image tree boot.iso
}

# Runs it until the client has ended, or all has; `said` is the serial line. SYSENTER in 64-bit mode, which is the gate, is Intel's.
run()
{
    local pid drive="if=none,id=d,format=raw,discard=unmap,file=disk"
    if [ -n "$broken" ]; then
        drive="if=none,id=d,driver=raw,discard=unmap,file.driver=blkdebug,file.image.filename=disk"
        drive+=",file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.once=off"
        drive+=",file.inject-error.0.sector=$((FIRST + BAD))"
    fi
    : >serial
    timeout $SECONDS_MAX qemu-system-x86_64 -nodefaults -no-reboot -display none -machine pc -accel tcg \
        -cpu max,vendor=GenuineIntel -smp 1 -m 256 \
        -drive if=none,id=boot,format=raw,media=cdrom,readonly=on,file=boot.iso -device ide-cd,drive=boot,bus=ide.1,bootindex=0 \
        -drive "$drive" "${device[@]}" -serial file:serial -device isa-debug-exit,iobase=0xf4,iosize=4 >qemu.out 2>&1 </dev/null &
    pid=$!
    while kill -0 $pid 2>/dev/null && ! grep -qE '^lintel: (process client: (ended|Bail out!)|panic|stopped)' serial; do
        sleep 0.1
    done
    kill $pid 2>/dev/null
    wait $pid
    tr -d '\r' <serial >said
}

make_disk && make_boot
result $? "an image with the driver of $controller and its client"
run
# The client's own lines, numbered on.
sed -nE 's/^lintel: process client: ((not )?ok) [0-9]+ - /\1 /p' said >client
while read -r verdict name; do
    [ "$verdict" = ok ]
    result $? "${name#ok }"
done <client
sed -nE 's/^lintel: process client: (#|Bail out!) /# /p' said
grep -qx "lintel: process client: 1\.\.$(grep -c . client)" said
result $? "the client comes to its end"
if [ "$controller" != ram ]; then
    python3 "$here/look.py" before disk $FIRST $SECTORS ${broken:-edge} >said
    result $? "the disk's file holds what was written, and nothing else of it has changed"
fi
plan
