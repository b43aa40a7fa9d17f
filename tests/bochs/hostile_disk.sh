#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# hostile_disk.sh LINTEL CPU VICTIM HOSTILE TABLE: a victim and, on another partition of its disk, each hostile guest of the rows
# HOSTILE_DISK of guests/hostile.def: it has what it wrote, in time, and keeps its share of the CPU (docs/bounds.md).
lintel=$1 cpu=$2 victim=$(realpath "$3") hostile=$(realpath "$4") table=$(realpath "$5") option=
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/hostile.bash
. "$here/hostile.bash"

read_rows HOSTILE_DISK

# beside ROW SHARE [PROMISE]: the victim shall have so many thousandths of the CPU; a promise is keys of a VM.
beside()
{
    cat >vm.yaml <<END
host:
  memory: 256M
  disks: [{name: d0, driver: ata, file: disk.img, size: 16M}]
vms:
  - {name: victim, kernel: $victim, memory: 16M, cmdline: "$2", disk: {on: d0, size: 4M}${3:+, $3}}
  - {name: hostile, kernel: $hostile, memory: 16M, cmdline: $1, disk: {on: d0}}
END
    outlasts "beside $1${3:+, with $3}" d0 hostile
}

# The driver is a third that wants some of the CPU. With a promise that is nothing to the victim.
for row in "${rows[@]}"; do
    beside "$row" 400
done
beside disk_kicks 690 'budget: 7ms'
plan
