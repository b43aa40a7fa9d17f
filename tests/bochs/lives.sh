#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# lives.sh LINTEL KERNEL CPU [OPTION...]: a VM that is reset again and again while its disk is at work (guests/lives.c): a disk of the
# emulated machine, by DMA. With LINTEL_ATA, that disk's driver is another one, which may die.
lintel=$1 kernel=$(realpath "$2") cpu=$3
shift 3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >vm.yaml <<END
host:
  memory: 256M
  disks:
    - {name: d0, driver: ata, file: disk.img, size: 8M}
vms:
  - {name: test, kernel: $kernel, memory: 16M, on-halt: restart, disk: {on: d0, partition: lives, size: 4M}}
END
boot 120 --cpu "$cpu" "$@"
code=$?
grep -a '^# \|^Bail out' said | sed 's/^/# /'
[ $code = 0 ] && grep -qx '1\.\.1' said && grep -q '^ok 1 - [0-9]* lives' said
result $? "each life finds what was flushed, and nothing else of the one before"
if [ -n "${LINTEL_ATA:-}" ]; then
    says 'process d0: stopped for a fault: .* it is started again' "while the driver dies, too"
else
    ! grep -q 'process d0: stopped' said
    result $? "the driver lives through all of them"
fi
plan
