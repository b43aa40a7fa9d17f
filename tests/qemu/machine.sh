#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# machine.sh BUILD: what is wrong with an image, or with what the machine has for a driver, is said at boot.
build=$(realpath "$1") lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

# spoil FILE WORD: the driver of RAM disks with an 8-byte word of a row of its segments changed: memory, of the last one, or entry.
spoil()
{
    python3 - "$build/drivers/lintel-ram" "$1" "$2" <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], 'rb').read())
rows, count = struct.unpack_from('<Q', data, 32)[0], struct.unpack_from('<H', data, 56)[0]
place, value = {'memory': (rows + 56 * (count - 1) + 40, 17 << 20), 'entry': (24, 1 << 63)}[sys.argv[3]]
struct.pack_into('<Q', data, place, value)
open(sys.argv[2], 'wb').write(data)
END
}

# refused NAME PATTERN ROW...: the hypervisor stops with these words.
refused()
{
    make_boot end=qemu "${@:3}" && boot_qemu 30 max
    grep -qE "^lintel: stopped: plan: $2" said && ! grep -q 'panic' said
    result $? "$1"
}

spoil large memory
spoil lost entry
refused 'an image that is too large' 'the image of process a takes more than 16 MiB of memory: build the image again$' process a large
refused 'an image without code at its entry' 'the image of process a has no code at its entry: build' process a lost
echo nothing >none
refused 'an image that is none' 'the image of process b is no 64-bit ELF executable' process a "$build/drivers/lintel-ram" process b none
refused 'a function that two drivers have' 'processes a and b have a PCI function in common' \
    process a "$build/drivers/lintel-ram" class=0x080501 process b "$build/drivers/lintel-ram" class=0x080501

# A DMA area whose page tables are many.
make_boot end=qemu process a "$build/drivers/lintel-ram" dma=0x28000000
boot_qemu 10 max -m 1024
says '^lintel: process a: the RAM disk has no file' 'a DMA area of 640 MiB'

# A function with 256 bytes of registers, where the firmware has put them, and inside of a page.
driver=(process a "$build/drivers/lintel-ram" class=0x080501)
device=(-device "sdhci-pci,addr=5")
make_boot end=qemu "${driver[@]}"
boot_qemu 10 max "${device[@]}"
says "^lintel: process a: its device's memory at [0-9a-f]* is less than a page: " 'registers that are less than a page'
menu='setpci -s 00:05.0 BASE_ADDRESS_0.l=0xfebf0800'
make_boot end=qemu "${driver[@]}"
boot_qemu 10 max "${device[@]}"
says "^lintel: process a: its device's memory at febf0800 begins within a page" 'registers that begin within a page'
plan
