#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# two_cpus.sh LINTEL DESCRIPTION CPU: two Linux VMs on two CPUs, one of them alone, reach their shells, and each other by their
# network; what is typed goes to the one that has the console.
lintel=$1 description=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

# The second one is slower to its shell, and what is typed before is lost: the first one waits for it. The points tell that it does: in
# the silence of a ping, which is a long one where the emulator is slow, the second one would be typed what is to come behind it, and
# switch itself off before a ping is answered.
cat >typed <<END
until ping -c 1 -W 1 10.0.0.2; do sleep 1; done &
while kill -0 \$! 2>&-; do echo .; sleep 0.1; done; echo first \$((6*7)) \$NAME
$(printf '\035')necho second \$((6*9)) \$NAME
poweroff -f
poweroff -f
END
timeout 890 "$lintel" run --on bochs --time $start_time --timeout 800 --cpu "$cpu" --hypervisor-options console=focus "$description" \
    >said 2>&1 <typed
code=$?
says '^lintel: 1 other CPUs run$' "the machine has as many CPUs as the description needs"
says '^first 42 one$' "the VM that has a CPU for itself is at its shell"
says '^second 54 two$' "the other is, too"
says '^1 packets transmitted, 1 packets received' "they reach each other"
says '^lintel: end: 2 VMs, 0 faults$' "both switch themselves off"
[ $code = 0 ]
result $? "the run ends well"
plan
