#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# disk.sh BUILD CONTROLLER CPU [broken|unwritable|stalls|mortal [MIB]]: Lintel without a VM, on QEMU's processor, which has no VT-x: a disk's driver and a client of it
# (client.c), and the disk's file afterwards. With `broken` a sector of the disk cannot be read, with `unwritable` not be written, and nothing be
# flushed; with `stalls` it does not answer for a while, which is 30 s of the machine's time, though not of ours, until it is reset;
# with `mortal` the driver dies at calls that chance says, and verify.c writes and reads a whole disk of MIB meanwhile.
build=$(realpath "$1") controller=$2 cpu=$3 how=${4:-sound} mib=${5:-64}
lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

SECONDS_MAX=60
FIRST=2048 SECTORS=24576 # the partition
[ "$how" != stalls ] || SECTORS=8192
[ "$how" != mortal ] || SECTORS=$((mib * 2048)) SECONDS_MAX=$((60 + mib))
console=()
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
    # With a process that has the serial line, as lintel image would give it.
    console=(console "$build/services/lintel-console")
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

# error NUMBER KIND SECTOR: blkdebug's words for such requests that fail, all that touch the sector; -1: all.
error()
{
    local at=file.inject-error.$1
    echo ",$at.event=none,$at.iotype=$2,$at.once=off,$at.sector=$3"
}

# Runs it until the client has ended.
run()
{
    local drive="if=none,id=d,format=raw,discard=unmap,file=disk"
    local broken="driver=raw,if=none,id=d,discard=unmap,file.driver=blkdebug,file.image.filename=disk" clock=()
    case $how in
    broken) drive=$broken$(error 0 read $((FIRST + BAD))) ;;
    unwritable) drive=$broken$(error 0 write $((FIRST + BAD)))$(error 1 flush -1) ;;
    stalls) clock=(-icount shift=3,sleep=off -monitor pipe:monitor) ;;
    esac
    boot_qemu $SECONDS_MAX "$cpu" -drive "$drive" "${device[@]}" "${clock[@]}"
}

# The disk gets one request in a second, from when the client says so until the driver has reset it.
stall()
{
    local word=('may stall now' 'it is reset') i tries
    for ((i = 0; i < 2; i++)); do
        for ((tries = 0; tries < 10 * SECONDS_MAX; tries++)); do
            grep -q "${word[i]}" serial && break
            sleep 0.1
        done
        echo "block_set_io_throttle d 0 0 0 $((1 - i)) 0 0" >&3
    done
}

program=$build/drivers/lintel-$controller client=client words=sectors=$SECTORS look=edge
case $how in
broken) words+=" bad=$BAD" look= ;;
unwritable) words+=" unwritable=$BAD" look=- ;;
stalls) client=verify words+=" stalls" look=all ;;
mortal) program=$build/tests/bochs/disk/lintel-mortal-$controller client=verify look=all driver+=("arguments=calls=$((300 * mib)) seed=$RANDOM") && echo "# ${driver[*]}" ;;
esac
make_disk && make_boot end=qemu process disk "$program" "${driver[@]}" \
    process client "$build/tests/qemu/$client" "arguments=$words" channel 1 0 "$label" "${console[@]}"
result $? "an image with the driver of $controller and its client"
if [ "$how" = stalls ]; then
    : >serial
    mkfifo monitor.in monitor.out
    exec 3<>monitor.in 4<>monitor.out
    cat <&4 >monitor.said &
    stall &
fi
run
if [ "$controller" != ram ]; then
    says '^lintel: process disk: its device reaches all memory' "the log says whom the machine trusts"
fi
if [ "$how" = stalls ]; then
    says '^lintel: process disk: the disk has not answered for 30 s, it is reset' "the driver has reset the disk"
fi
# The client's own lines, numbered on.
sed -nE 's/^lintel: process client: ((not )?ok) [0-9]+ - /\1 /p' said >client
while read -r verdict name; do
    [ "$verdict" = ok ]
    result $? "${name#ok }"
done <client
sed -nE 's/^lintel: process client: (#|Bail out!) /# /p' said
grep -qx "lintel: process client: 1\.\.$(grep -c . client)" said
result $? "the client comes to its end"
grep -qx 'lintel: end: 1 processes, 0 faults' said
result $? "and with it the machine"
if [ "$controller" != ram ] && [ "$look" != - ]; then
    python3 "$here/look.py" before disk $FIRST $SECTORS $look >said
    result $? "the disk's file holds what was written, and nothing else of it has changed"
fi
plan
