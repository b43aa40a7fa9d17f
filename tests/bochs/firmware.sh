#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# firmware.sh LINTEL KERNEL FIRMWARE: Lintel starts from another firmware, which leaves IA32_FEATURE_CONTROL unlocked (R1).
lintel=$1 kernel=$(realpath "$2") firmware=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

describe "$kernel" 64M 512M
boot 150 --firmware "$firmware"
result $? "$firmware: the run ends well"
says '^ok 1 - the kernel runs$' "$firmware: the guest runs"
plan
