#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# smp.sh LINTEL SMP.YAML CPU: a Linux guest with four vCPUs: all come, each has its timer and gets calls from the others, all have work,
# and one goes and comes again.
lintel=$1 description=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

cat >typed <<END
echo has \$(nproc)
for i in 1 2 3 4; do taskset \$((1 << i - 1)) sh -c "echo on \$i \\\$(cut -d' ' -f39 /proc/self/stat)" & done; wait
echo 0 >/sys/devices/system/cpu/cpu1/online; echo left \$(nproc)
echo 1 >/sys/devices/system/cpu/cpu1/online; echo again \$(nproc)
grep LOC: /proc/interrupts
grep CAL: /proc/interrupts
poweroff -f
END
timeout 890 "$lintel" run --on bochs --time $start_time --timeout 800 --cpu "$cpu" "$description" >said 2>&1 <typed
code=$?
says '^has 4$' "all four run"
for i in 1 2 3 4; do
    says "^on $i $((i - 1))$" "a program runs on CPU $((i - 1))"
done
says '^left 3$' "one goes"
says '^again 4$' "and comes again"
says '^ *LOC: +[1-9][0-9]* +[1-9][0-9]* +[1-9][0-9]* +[1-9][0-9]* ' "each has its timer"
says '^ *CAL: +[1-9][0-9]* +[1-9][0-9]* +[1-9][0-9]* +[1-9][0-9]* ' "and calls from the others"
says '^lintel: vm smp: powered off' "the guest switches itself off"
[ $code = 0 ]
result $? "the run ends well"
plan
