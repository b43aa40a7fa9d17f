#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# snapshot.sh BUILD CPU TIMES: a VM whose rounds follow one from the other (guests/kept.c) is kept, and restored TIMES times: each round says
# the same again. What a restore costs, who cannot have one; and a VM that writes its pages and is restored again and again beside a victim.
build=$(realpath "$1") lintel=$build/tool/lintel cpu=$2 times=$3
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"

# start TIMEOUT: the run of vm.yaml, until a VM has said something.
start()
{
    : >whole
    timeout $(($1 + 10)) "$lintel" run --on bochs --time $start_time --timeout "$1" --cpu "$cpu" --hypervisor-options console=lines \
        --control sock vm.yaml >whole 2>&1 </dev/null &
    run=$!
    for _ in {1..300}; do
        grep -aq '^\[kept\] # round 3:' whole && return
        sleep 0.2
    done
}

# rounds: how many it has said.
rounds()
{
    grep -ac '^\[kept\] # round [0-9]*: [0-9a-f]* at' whole
}

# goes_on: until it has said three more.
goes_on()
{
    local from
    from=$(rounds)
    for _ in {1..300}; do
        [ "$(rounds)" -ge $((from + 3)) ] && return
        sleep 0.1
    done
    return 1
}

# spent: what the control process has had of the CPU, in ticks, each of which is an instruction.
spent()
{
    "$lintel" top --batch sock | awk '$1 == "lintel_process_cpu_seconds_total{process=\"control\"}" { printf "%d", $2 * 10000000 }'
}

# refused SENTENCE COMMAND...
refused()
{
    local sentence=$1
    shift
    "$lintel" "$@" >said 2>&1
    [ $? = 2 ] && grep -q -- "$sentence" said
}

printf 'host: {memory: 512M}\nvms:\n  - {name: kept, kernel: %s/guests/kept.elf, memory: 16M, snapshot: yes}\n  - {name: other, kernel: %s/guests/button.elf, memory: 16M}\n' \
    "$build" "$build" >vm.yaml
start 500
refused "vm kept cannot be restored: it has no snapshot" restore sock kept
result $? 'a VM without a snapshot is not restored'
refused "vm other has no memory for a snapshot; give it 'snapshot: yes'" snapshot sock other
result $? 'who has no memory for one is told what to do'
"$lintel" snapshot sock kept >said 2>&1 && goes_on
result $? 'a VM is kept, and goes on'
for ((i = 0; i < times; i++)); do
    "$lintel" restore sock kept >said 2>&1 && goes_on || break
done
grep -a ' round ' whole | tail -n 20 >>said
[ $i = "$times" ]
result $? "it is restored $times times"
# round, what it says, at which TSC, how far its clocks are apart
sed -n 's/^\[kept\] # round \([0-9]*\): \([0-9a-f]*\) at \([0-9]*\), clocks \([0-9]*\) ms apart.*/\1 \2 \3 \4/p' whole | tr -d '\r' >told
sort -n told | awk '$1 == round && $2 != word { print; bad = 1 } { round = $1; word = $2 } END { exit bad || NR < 10 }' >said
result $? 'each round says what it said before'
[ "$(awk '{ print $1 }' told | sort | uniq -c | sort -n | awk 'END { print $1 }')" -gt "$times" ]
result $? "and one of them $((times + 1)) times"
sort -k1,1n -k3,3n told | awk '$1 != round { round = $1; first = $3 } $3 - first > most { most = $3 - first }
    END { print "# the same round is at most " most " ticks later than it was"; exit most > 1000000 }' | tee said
result "${PIPESTATUS[1]}" 'its time goes on from the snapshot'
awk '$4 > 500 { print; bad = 1 } END { exit bad }' told >said
result $? 'and all its clocks do'
"$lintel" pause sock kept && "$lintel" restore sock kept
before=$(spent)
idle=$(($(spent) - before))
"$lintel" resume sock kept && goes_on && "$lintel" pause sock kept
before=$(spent)
"$lintel" restore sock kept
cost=$(($(spent) - before - idle))
echo "# a restore behind 1000 written pages: $cost instructions" | tee said
[ $cost -le 3000000 ]
result $? 'a restore behind 1000 written pages is at most 3 million instructions'
"$lintel" snapshot sock kept && "$lintel" resume sock kept && goes_on && "$lintel" restore sock kept && goes_on
result $? 'a VM that is paused is kept as well, over the old snapshot'
kill $run
wait $run 2>/dev/null
! grep -a 'fault' whole >said
result $? 'and nothing has failed'

# Three that want the CPU: the victim shall have its third, as beside any two.
printf 'host: {memory: 512M}\nvms:\n  - {name: victim, kernel: %s/guests/victim.elf, memory: 16M, cmdline: "280", control: wait}\n  - {name: kept, kernel: %s/guests/kept.elf, memory: 16M, snapshot: yes}\n' \
    "$build" "$build" >vm.yaml
start 200
"$lintel" snapshot sock kept
again()
{
    while kill -0 $run 2>/dev/null; do
        "$lintel" restore sock kept && echo again
    done
}
again >again 2>/dev/null &
for _ in {1..300}; do
    [ "$(wc -l <again)" -ge 3 ] && break
    sleep 0.1
done
"$lintel" resume sock victim
for _ in {1..600}; do
    grep -aq '^lintel: vm victim: \(powered\|stopped\)' whole && break
    sleep 0.1
done
restores=$(wc -l <again)
kill $run
wait 2>/dev/null
sed -n 's/^\[victim\] //p; s/^lintel: vm victim: //p' whole | tr -d '\r' >said
grep '^# ' said
! grep -qE '^not ok|^Bail out' said && [ "$(grep -c '^ok' said)" -ge 2 ] && grep -q '^powered off: ' said && [ "$restores" -ge 3 ]
result $? "a VM beside one that writes and is restored, $restores times, gets its share"
plan
