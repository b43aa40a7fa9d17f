#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# machine.sh BUILD: what is wrong with an image, or with what the machine has for a driver, is said at boot.
build=$(realpath "$1") lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

# spoil FILE WORD: the driver of RAM disks with 8 bytes changed: of a row of its segments, memory, of the last one, or entry; or the
# code at its entry, to UD2.
spoil()
{
    python3 - "$build/drivers/lintel-ram" "$1" "$2" <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], 'rb').read())
rows, count = struct.unpack_from('<Q', data, 32)[0], struct.unpack_from('<H', data, 56)[0]
entry = struct.unpack_from('<Q', data, 24)[0]
segments = [struct.unpack_from('<IIQQQQ', data, rows + 56 * n) for n in range(count)]
code = [offset + entry - start for _, _, offset, start, _, size in segments if start <= entry < start + size]
place, value = {'memory': (rows + 56 * (count - 1) + 40, 17 << 20), 'entry': (24, 1 << 63), 'code': (code[0], 0x0b0f)}[sys.argv[3]]
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

# A console that dies again and again: ring 0 prints what it has not, and the end of the run.
spoil dying code
make_boot end=qemu process console dying grants=1 dma=0 process a dying
boot_qemu 30 max
says '^lintel: process console: stopped for a fault: #UD.*; it is started again$' 'a console that dies is started again'
says '^lintel: process a: stopped for a fault: [^;]*$' 'and not for ever'
says '^lintel: end: 1 processes, 1 faults$' 'all that it has not printed is there'

# begins LINE NAME [OPTION...]: the machine says so, and does not end by itself.
begins()
{
    until=$1 boot_qemu 60 max "${@:3}"
    says "$1" "$2"
}

# A network card more than the machine has.
make_boot end=qemu process nic "$build/drivers/lintel-e1000" class=0x020000 index=1 dma=0x104000 \
    process client "$build/tests/qemu/nic" arguments=slirp network 1 0 ''
begins '^lintel: process nic: it has no card$' 'the driver of a card that is not there says so' -device e1000
says '^lintel: process nic: this machine has no PCI function 1 of class 020000$' 'and boot which one it is'

# A DMA area whose page tables are many.
make_boot end=qemu process a "$build/drivers/lintel-ram" dma=0x28000000
begins '^lintel: process a: the RAM disk has no file' 'a DMA area of 640 MiB' -m 1024

# A function with 256 bytes of registers, where the firmware has put them, and inside of a page.
driver=(process a "$build/drivers/lintel-ram" class=0x080501)
device=(-device "sdhci-pci,addr=5")
make_boot end=qemu "${driver[@]}"
begins "^lintel: process a: its device's memory at [0-9a-f]* is less than a page: " 'registers that are less than a page' "${device[@]}"
menu='setpci -s 00:05.0 BASE_ADDRESS_0.l=0xfebf0800'
make_boot end=qemu "${driver[@]}"
begins "^lintel: process a: its device's memory at febf0800 begins within a page" 'registers that begin within a page' "${device[@]}"
plan
