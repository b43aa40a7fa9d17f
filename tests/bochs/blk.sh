#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# blk.sh LINTEL KERNEL CPU: the kernel that tries its VM's disk, with a RAM disk that may be written and with one that may not.
lintel=$1 kernel=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

# Each of the first 2048 sectors has its number in each word; 1 MiB of zeroes follows.
perl -e 'print pack("V", $_) x 128 for 0 .. 2047; print "\0" x 1048576' >disk.img

for disk in '{file: disk.img}' '{file: disk.img, read-only: yes}'; do
    describe "$kernel" 64M 256M "disk: $disk"
    boot 90 --cpu "$cpu"
    code=$?
    grep -aE '^(ok|not ok) [0-9]+ - |^# |^Bail out!' said | sed 's/^/# /'
    tests=$(grep -acE '^ok [0-9]+ - ' said)
    [ "$tests" -gt 10 ] && grep -qx "1\.\.$tests" said && ! grep -qaE '^not ok |^Bail out!' said && [ $code = 0 ]
    result $? "$disk: all is well, over a reset too"
done
says 'a disk that is read-only is not written' "what is read-only is known as such"
plan
