#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# reproducible.sh ROOT: two builds, of two copies of the sources, in folders of different names, give the same
# hypervisor and the same monitor, byte for byte.
set -eu

root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build SOURCES FOLDER: a copy of what the images are made of, set up and built.
build()
{
    mkdir -p "$1"
    (cd "$root" && tar -cf - --exclude='./build*' --exclude=./.git .) | tar -xf - -C "$1"
    {
        meson setup "$2" "$1"
        ninja -C "$2" hypervisor/lintel-hypervisor monitor/lintel-monitor
    } >"$work/log" 2>&1 || {
        cat "$work/log"
        exit 1
    }
}

build "$work/a" "$work/a/build"
build "$work/another/folder" "$work/elsewhere"
for image in hypervisor/lintel-hypervisor monitor/lintel-monitor; do
    cmp "$work/a/build/$image" "$work/elsewhere/$image"
    sha256sum "$work/a/build/$image"
done
