#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# refused.sh LINTEL KERNEL WHY: the hypervisor of LINTEL_HYPERVISOR starts nothing on this machine, and says why.
lintel=$1 kernel=$(realpath "$2") why=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M
boot 60
[ $? = 1 ]
result $? "the run ends as one that the hypervisor has stopped"
says "^lintel: stopped: $why$" "the reason is told"
! grep -q '^lintel: vm test' said
result $? "there is no VM"
plan
