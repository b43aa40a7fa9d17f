#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ended.sh BUILD: a driver that dies until it is not started again: its device is no bus master any more, so
# that what it may still have goes to nobody's memory. QEMU's monitor tells of the device's command register. And an NMI, which that
# sends as a platform does, is told of, and nothing else comes of it.
build=$(realpath "$1") lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

MASTER=4

head -c 8M /dev/zero >disk
printf 'label: gpt\nstart=2048, size=8192, type=linux, name="lintel-test"\n' |
    PATH=$PATH:/sbin:/usr/sbin sfdisk --quiet --no-reread --no-tell-kernel disk
make_boot end=qemu process disk "$build/tests/bochs/disk/lintel-mortal-nvme" class=0x010802 dma=0x40000 'arguments=calls=100 always' \
    process client "$build/tests/qemu/verify" arguments=sectors=8192 channel 1 0 lintel-test
result $? "an image with a driver that always dies"

mkfifo monitor.in monitor.out
exec 3<>monitor.in 4<>monitor.out
cat <&4 >monitor.said &
: >serial
boot_qemu 60 max -drive if=none,id=d,format=raw,file=disk -device nvme,drive=d,serial=1,addr=4 -monitor pipe:monitor &

for ((tries = 0; tries < 500; tries++)); do
    grep -qE '^lintel: process disk: stopped for a fault: [^;]*$' serial && break
    sleep 0.1
done
printf 'o /4 0xcf8 0x80002004\ni /4 0xcfc\n' >&3
for ((tries = 0; tries < 50; tries++)); do
    value=$(sed -nE 's/.*port.\[0x0*cfc\] = (0x[0-9a-f]+).*/\1/p' monitor.said)
    [ -n "$value" ] && break
    sleep 0.1
done
tr -d '\r' <serial >said
[ "$(grep -c 'process disk: .* it is started again' said)" = 5 ]
result $? "it is started again five times"
echo "# the command register is $value" >>said
[ -n "$value" ] && [ $((value & MASTER)) = 0 ]
result $? "then its device is no bus master any more"
for number in 1 2; do
    echo nmi >&3
    for ((tries = 0; tries < 50; tries++)); do
        [ "$(grep -c '^lintel: an NMI from the platform: parity, a watchdog or a button' serial)" = $number ] && break
        sleep 0.1
    done
done
tr -d '\r' <serial >said
[ $tries -lt 50 ] && tail -n 1 said | grep -q 'an NMI from the platform'
result $? "an NMI from the platform is told of, and the next one, too"
echo quit >&3
plan
