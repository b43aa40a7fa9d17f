#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# image.sh LINTEL KERNEL CPU: the image for real machines, which GRUB boots by BIOS, comes to the same as a run from the disc that an
# emulated machine with that BIOS gets, line by line.
lintel=$1 kernel=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
boot 60 --cpu "$cpu"
result $? 'from a disc: the run ends well'
sed -n '/^lintel: version/,$p' said >from-disc
"$lintel" image --end bochs --hypervisor-options 'clear-memory=no hide=' vm.yaml -o image.iso >said 2>&1
result $? 'the image is written'
boot_image "$work/image.iso" "$cpu" 256 60
says '^ok 1 - the kernel runs$' 'from GRUB: the guest runs'
says '^lintel: end: 1 VMs, 0 faults$' 'and all is said to the end'
sed -n '/^lintel: version/,$p' said >from-grub # before it GRUB says something
[ -s from-grub ] && diff from-grub from-disc >said
result $? 'both say the same'
plan
