#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cpus.sh BUILD: the CPUs of a machine on QEMU's own processors, which run at the same time: all start; one that is not as the first
# one is not used, and named (R18).
build=$(realpath "$1") lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

head -c 1M /dev/zero >ram
make_boot end=qemu process disk "$build/drivers/lintel-ram" file=ram dma=0x200000 \
    process client "$build/tests/qemu/verify" arguments=sectors=2048 channel 1 0 ''
ends()
{
    says '^lintel: end: 1 processes, 0 faults$' "$1: a disk's client runs to its end"
}

for cpus in 2 4; do
    boot_qemu 30 max
    says "^lintel: $((cpus - 1)) other CPUs run$" "$cpus CPUs: all run"
    ends "$cpus CPUs"
done
# A disk and its client on two CPUs of four.
cpus=4
for home in '1 2' '3 0' '0 3'; do
    read -r disk client <<<"$home"
    make_boot end=qemu process disk "$build/drivers/lintel-ram" file=ram dma=0x200000 "cpu=$disk" \
        process client "$build/tests/qemu/verify" arguments=sectors=2048 "cpu=$client" channel 1 0 ''
    boot_qemu 60 max
    ends "a disk on CPU $disk, its client on CPU $client"
done
make_boot end=qemu process disk "$build/drivers/lintel-ram" file=ram cpu=4
boot_qemu 30 max
says '^lintel: stopped: plan: disk is to run on CPU 4, which this machine does not have, or cannot use$' 'a CPU that is not there'

make_boot end=qemu process disk "$build/drivers/lintel-ram" file=ram dma=0x200000 \
    process client "$build/tests/qemu/verify" arguments=sectors=2048 channel 1 0 ''
cpus=2,sockets=3,maxcpus=3
boot_qemu 30 max -device max-x86_64-cpu,socket-id=2,core-id=0,thread-id=0,bmi2=off
says '^lintel: CPU 2, of APIC id 2, is not used: it differs from the first in CPUID leaf 7.0, EBX$' 'a CPU that lacks something'
says '^lintel: 1 other CPUs run$' 'the other one runs'
ends 'a machine with one that is not used'
plan
