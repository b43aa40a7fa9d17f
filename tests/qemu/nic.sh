#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nic.sh BUILD MODEL [peer|mortal|slirp [IRQ]]: Lintel without a VM, on QEMU: the driver of a network card, a client of it (nic.c) in the
# switch's place, and at the other end of the wire peer.py or QEMU's own network. With an ISA interrupt, which QEMU's PIIX gives a card
# in slot 5; without one the driver polls a card that has no MSI.
build=$(realpath "$1") model=$2 how=${3:-peer} irq=${4:-}
lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

driver=(class=0x020000 dma=0x104000) program=$build/drivers/lintel-e1000
[ -z "$irq" ] || driver+=("interrupt=$irq")
if [ "$how" = mortal ]; then
    program=$build/tests/qemu/lintel-mortal-e1000
    driver+=("arguments=calls=60000 seed=$RANDOM")
    echo "# ${driver[*]}"
fi
wire="dgram,id=n,local.type=unix,local.path=nic,remote.type=unix,remote.path=peer"
if [ "$how" = slirp ]; then
    wire=user,id=n
else
    python3 -u "$here/peer.py" peer nic monitor >peer.said 2>&1 &
    peer=$!
    for _ in $(seq 100); do
        [ -S peer ] && break
        sleep 0.1
    done
fi

words=$how
# QEMU before 8.1 makes IP fragments of an 82574's TCP segments, if nobody behind it takes them whole.
version=$(qemu-system-x86_64 --version | sed -nE '1s/.*version ([0-9]+)\.([0-9]+).*/\1\2/p')
[ "$model $how" != "e1000e peer" ] || [ "$version" -ge 81 ] || words="peer whole"
make_boot end=qemu process nic "$program" "${driver[@]}" process client "$build/tests/qemu/nic" "arguments=$words" network 1 0 ''
result $? "an image with the driver and its client"
boot_qemu 60 max -netdev "$wire" -device "$model,netdev=n,id=nic,addr=5" -monitor unix:monitor,server=on,wait=off
[ "$how" = slirp ] || kill $peer
[ ! -s peer.said ] || cat peer.said
says '^lintel: process nic: its device reaches all memory' "the log says whom the machine trusts"
says '^lintel: process nic: 825[0-9A-Z]*, 52:54:00:12:34:56$' "and which card it is"
# The client's own lines, numbered on.
sed -nE 's/^lintel: process client: ((not )?ok) [0-9]+ - /\1 /p' said >client
while read -r verdict name; do
    [ "$verdict" = ok ]
    result $? "${name#ok }"
done <client
sed -nE 's/^lintel: process (client|nic): (#|Bail out!|.*frames:) ?/# /p' said
grep -qx "lintel: process client: 1\.\.$(grep -c . client)" said
result $? "the client comes to its end"
if [ "$how" = mortal ]; then
    [ "$(grep -c 'process nic: .* it is started again$' said)" = 4 ]
    result $? "the driver has died four times"
fi
grep -qx 'lintel: end: 1 processes, 0 faults' said
result $? "and with it the machine"
plan
