#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# two_cpus.sh LINTEL DESCRIPTION CPU: two Linux VMs on two CPUs, one of them alone, reach their shells, and each other by their
# network; what is typed goes to the one that has the console.
lintel=$1 description=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >typed <<END
echo first \$((6*7)) \$NAME
$(printf '\035')necho second \$((6*9)) \$NAME
ping -c 3 10.0.0.1 | grep -o '3 packets received'
poweroff -f
poweroff -f
END
timeout 250 "$lintel" run --on bochs --time $start_time --timeout 220 --cpu "$cpu" --hypervisor-options console=focus "$description" \
    >said 2>&1 <typed
code=$?
says '^lintel: 1 other CPUs run$' "the machine has as many CPUs as the description needs"
says '^first 42 one$' "the VM that has a CPU for itself is at its shell"
says '^second 54 two$' "the other is, too"
says '^3 packets received$' "they reach each other"
says '^lintel: end: 2 VMs, 0 faults$' "both switch themselves off"
[ $code = 0 ]
result $? "the run ends well"
plan
