#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bus_mastering.sh LINTEL KERNEL: with bus-mastering=off no device of the machine reaches memory any more, and the VM runs all
# the same. Bochs's firmware gives bus mastering to a device: the IDE controller. What is written is seen by
# tests/native/cpu/test_cpu_pci.c.
lintel=$1 kernel=$(realpath "$2")
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
boot 100 --hypervisor-options bus-mastering=off
result $? "the run ends well"
says '^lintel: bus mastering is switched off: [1-9][0-9]* devices had it$' "it is told"
boot 100 --hypervisor-options bus-mastering=on
result $? "the run ends well with it"
! grep -q '^lintel: bus mastering' said
result $? "nothing is told then"
plan
