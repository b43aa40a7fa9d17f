#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nic.sh BUILD CPU: Lintel without a VM, in Bochs: the driver of its 82540EM, with a client (qemu/nic.c) in the switch's place, and
# Bochs's network for users behind it, which answers to ARP and DHCP: with the card's interrupt, and without one.
build=$(realpath "$1") cpu=$2 lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/../qemu/common.bash"

IRQ=9 # of slot 1, by Bochs's BIOS

# card NAME [WORD...]: the driver's row has these words. Without an interrupt it would look after half a second.
card()
{
    make_boot end=bochs process nic "$build/drivers/lintel-e1000" class=0x020000 dma=0x104000 "${@:2}" \
        process client "$build/tests/qemu/nic" arguments=slirp network 1 0 '' &&
        boot_image boot.iso "$cpu" 256 60 'pci: enabled=1, chipset=i440fx, slot1=e1000' \
            'e1000: card=0, enabled=1, mac=52:54:00:12:34:56, ethmod=slirp'
    grep -q '^lintel: process nic: 82540EM$' said &&
        grep -qE '^lintel: process client: # the answers took [0-9]{1,2} ms' said &&
        [ "$(grep -c '^lintel: process client: ok ' said)" = 3 ] && grep -qx 'lintel: end: 1 processes, 0 faults' said
    result $? "$1"
}

card 'ARP and DHCP by a card that interrupts' interrupt=$IRQ
card 'and by one that is polled'
plan
