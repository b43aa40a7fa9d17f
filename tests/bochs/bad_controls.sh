#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bad_controls.sh LINTEL KERNEL: the hypervisor of LINTEL_HYPERVISOR gives its second VM control fields that fail the entry.
lintel=$1 kernel=$(realpath "$2")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >vm.yaml <<END
host:
  memory: 256M
vms:
  - {name: good, kernel: $kernel, memory: 8M}
  - {name: bad, kernel: $kernel, memory: 8M}
END
boot 60 --hypervisor-options console=lines
[ $? != 0 ]
result $? "the run ends as one with a fault"
says '^lintel: vm bad: VM entry: .*invalid control fields.*: CR3-target count' "the log says which check failed"
says '^lintel: vm bad: stopped for a fault: ' "that VM is stopped"
says '^\[good\] 1\.\.1$' "the other one comes to its end"
says '^lintel: end: 2 VMs, 1 faults' "and so does the machine"
plan
