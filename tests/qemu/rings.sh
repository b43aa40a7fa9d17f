#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# rings.sh LINTEL KERNEL CPU: guests/rings.c with QEMU's virtio devices, on QEMU, and with Lintel's, as VMs in Bochs: once with a disk
# that may be written and once with one that may not. All lines are the same but for those that rings.txt explains.
lintel=$1 kernel=$(realpath "$2") cpu=$3
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

SECONDS_MAX=90

# run_lintel DISK CONSOLE
run_lintel()
{
    describe "$kernel" 64M 256M "disk: $1"
    echo "    console: $2" >>vm.yaml
    [ $2 = serial ] || sed -i 's/^host:/&\n  networks: [{name: lan}]/; s/^ *console: .*/&\n    networks: [{on: lan}]/' vm.yaml
    echo typed | timeout $((SECONDS_MAX + 30)) "$lintel" run --on bochs --time $start_time --timeout $SECONDS_MAX --cpu "$cpu" \
        vm.yaml >said 2>&1
}

# type_when_asked NAME: a line for the console of this QEMU.
type_when_asked()
{
    local i
    for ((i = 0; i < 10 * SECONDS_MAX; i++)); do
        grep -aq '^type something' "qemu.$1" 2>/dev/null && break
        sleep 0.1
    done
    echo typed >"pipe.$1.in"
}

# run_qemu NAME WORD [OPTION...]: a disk of its own, with this in the drive's words. Power-off is where Bochs has it.
run_qemu()
{
    cp disk.img "disk.$1"
    timeout $SECONDS_MAX qemu-system-x86_64 -nodefaults -no-reboot -display none -machine pc -accel tcg -cpu max -m 128 \
        -drive if=none,id=boot,format=raw,media=cdrom,readonly=on,file=boot.iso -device ide-cd,drive=boot,bus=ide.1,bootindex=0 \
        -drive "if=none,id=d,format=raw,file=disk.$1$2" -device virtio-blk-pci,drive=d,disable-legacy=on \
        -device virtio-rng-pci,disable-legacy=on "${@:3}" \
        -serial "file:qemu.$1" -device isa-debug-exit,iobase=0xb004,iosize=4 >"qemu.$1.said" 2>&1 </dev/null
}

# Each of the first 2048 sectors has its number in each word; 1 MiB of zeroes follows.
perl -e 'print pack("V", $_) x 128 for 0 .. 2047; print "\0" x 1048576' >disk.img
make_kernel_boot "$kernel"
result $? "an image with the kernel"
mkfifo pipe.blk.in pipe.blk.out
cat pipe.blk.out >console.blk &
type_when_asked blk &
run_qemu blk '' -chardev pipe,id=c,path=pipe.blk -device virtio-serial-pci,disable-legacy=on,max_ports=1 -device virtconsole,chardev=c \
    -netdev user,id=n,restrict=on -device virtio-net-pci,netdev=n,disable-legacy=on,ctrl_vq=off &
run_qemu ro ,readonly=on &
run_lintel '{file: disk.img}' virtio
result $? "the kernel comes to its end under Lintel"
cp said ours
run_lintel '{file: disk.img, read-only: yes}' serial
result $? "and with a disk that is read-only"
cat said >>ours
wait
cat qemu.blk.said qemu.ro.said qemu.blk qemu.ro >said
[ "$(grep -c '^1\.\.1' said)" = 2 ]
result $? "and on QEMU"
cat qemu.blk qemu.ro >theirs
grep -aoE '(blk|ro|rng|net|console)/\S+ used=.*' ours >ours.cases
grep -aoE '(blk|ro|rng|net|console)/\S+ used=.*' theirs >theirs.cases
compare "$here/rings.txt" ours.cases theirs.cases
plan
