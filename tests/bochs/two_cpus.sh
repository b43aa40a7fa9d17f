#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# two_cpus.sh LINTEL DESCRIPTION CPU: two Linux VMs on two CPUs, one of them alone, reach their shells, and each other by their
# network; what is typed goes to the one that has the console.
lintel=$1 description=$(realpath "$2") cpu=$3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

# types PATTERN INPUT: what is to be typed when a line of the output matches, and the run goes on. Where the emulator is slow, its output
# stands still in the middle of a line, which is a prompt to who only looks at the time.
types()
{
    until grep -qaE -- "$1" said; do
        kill -0 $run 2>/dev/null || return
        sleep 0.2
    done
    printf '%s\n' "$2" >&7
}

mkfifo typed
exec 7<>typed
timeout 890 "$lintel" run --on bochs --time $start_time --timeout 800 --cpu "$cpu" --hypervisor-options console=focus "$description" \
    >said 2>&1 <typed &
run=$!
# The second one is slower to its shell: the first one waits for it.
types '^one:/root# ' 'until ping -c 1 -W 1 10.0.0.2; do sleep 1; done; echo first $((6*7)) $NAME'
types '^first 42 one' $'\035n'
types '^two:/root# ' 'echo second $((6*9)) $NAME'
types '^second 54 two' 'poweroff -f'
types '^lintel: vm two: powered off' 'poweroff -f'
wait $run
code=$?
says '^lintel: 1 other CPUs run$' "the machine has as many CPUs as the description needs"
says '^first 42 one$' "the VM that has a CPU for itself is at its shell"
says '^second 54 two$' "the other is, too"
says '^1 packets transmitted, 1 packets received' "they reach each other"
says '^lintel: end: 2 VMs, 0 faults$' "both switch themselves off"
[ $code = 0 ]
result $? "the run ends well"
plan
