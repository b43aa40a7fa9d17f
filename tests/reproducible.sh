#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# reproducible.sh ROOT: two builds, of two copies of the sources, in folders of different names, give the same
# hypervisor, monitor and initrd, byte for byte; and two images hold the same files of Lintel's. What GRUB puts around
# them has the time in it (SUPPORT.md).
set -eu

root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build SOURCES FOLDER: a copy of what the images are made of, set up and built; and an image.
build()
{
    mkdir -p "$1"
    (cd "$root" && tar -cf - --exclude='./build*' --exclude=./.git .) | tar -xf - -C "$1"
    printf 'vms:\n  - {name: a, kernel: %s, initrd: builtin, memory: 64M}\n' "$work/a/build/guests/idle.elf" >"$1/vm.yaml"
    {
        meson setup -Dtests=false "$2" "$1"
        ninja -C "$2" product guests/idle.elf
        "$2/tool/lintel" image "$1/vm.yaml" -o "$1/image.iso"
        xorriso -osirrox on -indev "$1/image.iso" -extract /boot "$1/files"
    } >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
}

build "$work/a" "$work/a/build"
build "$work/another/folder" "$work/elsewhere"
for file in hypervisor/lintel-hypervisor monitor/lintel-monitor tool/demo-initrd.cpio; do
    cmp "$work/a/build/$file" "$work/elsewhere/$file"
    sha256sum "$work/a/build/$file"
done
for file in lintel-hypervisor monitor plan file-0 file-1 file-2 grub/grub.cfg; do
    cmp "$work/a/files/$file" "$work/another/folder/files/$file"
done
