#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# disk_ram.sh LINTEL CLIENT MORTAL KERNEL: RAM disks, their driver, and clients in monitors' places. A hostile client and a driver
# that dies harm nobody.
lintel=$1 client=$(realpath "$2") mortal=$(realpath "$3") kernel=$(realpath "$4")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"
export LINTEL_MONITOR=$client

# run ROLE...: a VM for each role, which it is named after, with a RAM disk.
run()
{
    local role
    printf 'host:\n  memory: 256M\nvms:\n' >vm.yaml
    for role; do
        printf '  - {name: %s, kernel: %s, memory: 16M, cmdline: %s, disk: {file: ram.img%s}}\n' \
            "$role" "$kernel" "$role" "$([ "$role" = refused ] && echo ', read-only: yes')" >>vm.yaml
    done
    boot 90
}

truncate -s 1M ram.img
run write hostile refused
grep -q '^lintel: end: 3 VMs, 0 faults$' said
result $? 'three clients, of which one is hostile'
says 'vm write: ok all that was written was flushed and read again; .* 0 times' 'one writes and reads 1 MiB'
says 'vm hostile: ok it was hostile, and had answers' 'the other one was heard'
says 'vm refused: ok the disk may be read and not written' 'who may only read may not write'
LINTEL_RAM=$mortal run write
[ "$(grep -c 'process write.disk: stopped for a fault: .* it is started again' said)" = 4 ]
result $? 'a driver that dies four times, before or behind a call that chance says'
says 'vm write: ok all that was written' 'its client has what it wrote, whatever the driver died of'
plan
