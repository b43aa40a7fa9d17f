#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# trace.sh BUILD CPU PAGE: the exits of a guest that does known ones (guests/traced.c), as lintel trace shows them: as many as the counters
# say, in the order in which they come; what a traced CPUID costs; nothing of a VM with 'control: no'; what PAGE, docs/trace.md, has the
# user type; and a VM beside one that does nothing but exit, and is traced.
build=$(realpath "$1") lintel=$build/tool/lintel cpu=$2 page=$(realpath "$3")
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/broken.bash
. "$here/broken.bash"

# start OPTION...: the run of vm.yaml with these options, until its VMs have said something.
start()
{
    : >whole
    timeout 130 "$lintel" run --on bochs --time $start_time --timeout 120 --cpu "$cpu" --hypervisor-options console=lines --control demo.sock \
        vm.yaml >whole 2>&1 </dev/null &
    run=$!
    for _ in {1..300}; do
        [ "$(grep -a '^\[[a-z]*\] # ' whole | cut -d' ' -f1 | sort -u | wc -l)" = 2 ] && return
        sleep 0.2
    done
}

end()
{
    kill $run
    wait $run
} 2>/dev/null

# cpuid WHOM: what its CPUID took when it said so last.
cpuid()
{
    grep -a "^\[$1\] # CPUID" whole | tail -n 1 | tr -dc '0-9'
}

# changes WHOM FROM: until it is another.
changes()
{
    for _ in {1..200}; do
        [ "$(cpuid "$1")" != "$2" ] && return
        sleep 0.1
    done
    return 1
}

# traced_until WORDS... -- COMMAND...: a trace with these words, in the background, while the command runs.
traced_until()
{
    local words=() tracer
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    : >trace.err
    "$lintel" trace --seconds 100 "${words[@]}" >trace.out 2>trace.err &
    tracer=$!
    for _ in {1..100}; do
        grep -q '^lintel: tracing' trace.err && break
        sleep 0.1
    done
    "$@"
    kill $tracer
    wait $tracer
}

# counts WHEN: how many exits of each reason VM a has had, as ps tells.
counts()
{
    "$lintel" ps --json "$1" demo.sock && python3 -c '
import json, sys
for name, count in sorted(json.load(open(sys.argv[1]))["vms"][0]["exits"].items()):
    print(name + "," + str(count))' "$1" >"$1.csv"
}

one_turn()
{
    "$lintel" resume demo.sock a
    changes a "$before"
    "$lintel" pause demo.sock a
}

printf 'vms:\n  - {name: a, kernel: %s/guests/traced.elf, memory: 16M}\n  - {name: b, kernel: %s/guests/traced.elf, memory: 16M, control: no}\n' \
    "$build" "$build" >vm.yaml
start
before=$(cpuid a)
"$lintel" pause demo.sock a
counts first
traced_until --csv demo.sock a -- one_turn
counts last
cp trace.out said
[ "$(wc -l <trace.out)" -gt 100 ] && [ "$(head -n 1 trace.out)" = start,ticks,cpu,who,what,answered,rip,detail,monitor_after,injected,msr_accesses ]
result $? 'a trace as CSV'
# what the counters have more than before, and what the trace has
awk -F, 'NR == FNR { had[$1] = $2; next } $2 > had[$1] { print $1 "," $2 - had[$1] }' first.csv last.csv | sort >counted
awk -F, 'NR > 1 && $5 != "turn" && $5 != "monitor" { n[$5]++ } END { for (what in n) print what "," n[what] }' trace.out | sort >seen
diff counted seen >said && [ -s seen ]
result $? 'each exit is in it once, of each reason as many as the counters say'
# one round for each line, without what comes at any time; of an exit in which the guest's turn ended nobody's answer is told
awk -F, 'NR > 1 && $5 != "turn" && $5 != "monitor" && $5 !~ /external interrupt|preemption timer/ && $8 !~ /^3f/ {
        words = words $5 "," ($5 == "HLT" ? "" : $6) "," ($5 == "CPUID" ? "" : $8) " "
        cut = cut || ($5 != "HLT" && $6 == "-")
        if ($5 == "HLT") { if (!cut) print words; words = ""; cut = 0 } }' trace.out | sed '1d' | sort | uniq -c | sort -rn >said
cpuids=$(printf 'CPUID,ring 0, %.0s' {1..5})
outs='I/O instruction,monitor,800000 I/O instruction,monitor,800000 I/O instruction,monitor,800000 '
expected="WRMSR,ring 0,80b $cpuids${outs//,80/,80}RDMSR,ring 0,1a0 WRMSR,ring 0,6e0 HLT,,0 "
sed -E 's/^ *[0-9]+ //' said >rounds
[ "$(wc -l <rounds)" = 1 ] && [ "$(sed 's/I\/O instruction,monitor,80[0-9a-f]*/OUT/g' rounds)" = \
    "$(sed 's/I\/O instruction,monitor,80[0-9a-f]*/OUT/g' <<<"$expected")" ]
result $? 'in the order in which the guest does them, with who answered, and which MSR and port'
cp trace.out said
awk -F, 'NR > 1 && ($4 != "a/0" || $3 != 0) { bad = 1 } NR > 2 && $1 < last { bad = 1 } { last = $1 } END { exit bad }' trace.out
result $? 'all in the order of time, and nothing of a VM with control: no, nor of the processes that work for it'
traced=$(cpuid a)
"$lintel" resume demo.sock a
changes a "$traced"
echo "before $before traced $traced behind $(cpuid a)" >said
cat said
[ "$traced" -le $((before + 60)) ] && [ "$(cpuid a)" = "$before" ]
result $? "a CPUID takes $((traced - before)) instructions more while it is traced, and none when it is not"
grep -a '^\[b\] # CPUID' whole >said
! awk -v most="$before" '$NF > most { bad = 1 } END { exit !bad }' said
result $? 'one of the other VM none all the while'
"$lintel" trace demo.sock b >said 2>&1
[ $? = 2 ] && grep -q "^lintel: there is no VM 'b' that may be controlled" said
result $? 'it cannot be traced'
end

# As the page has it: an exit at a time, so that a second of it is soon there. On a quick machine the emulated clock runs ahead while the
# guests sleep, and more comes in two seconds than a ring holds.
printf 'vms:\n  - {name: one, kernel: %s/guests/traced.elf, memory: 16M, cmdline: "1000000"}\n  - {name: two, kernel: %s/guests/traced.elf, memory: 16M}\n' \
    "$build" "$build" | sed '$s/}$/, cmdline: "1000000"}/' >vm.yaml
start
commands=0
while read -r words; do
    commands=$((commands + 1))
    # shellcheck disable=SC2086
    "$lintel" $words >said.$commands 2>&1
    code=$?
    cp said.$commands said
    [ $code = 0 ]
    result $? "lintel $words"
done < <(sed -n 's/^\$ \.\/lintel \(trace [^#]*\).*/\1/p' "$page")
[ $commands = 4 ]
result $? 'are the commands of the page'
# one sleeps for 1000000 ticks; the records of the trace before, of both, took seconds of the line
awk -F, 'NR == 3 { bad = $1 - last > 50000000 } { last = $1 } END { exit bad || NR < 100 }' one.csv
code=$?
head -n 3 one.csv >said
result $code 'nothing is in a trace that came before it'
cp said.1 said
grep -q ' one/0  *CPUID .* ring 0  *[0-9a-f]\{16\}' said && grep -q ' one/0  *I/O instruction .* monitor .* out 80, 1; for port' said &&
    grep -q ' one/0  *HLT .*injects 65' said && grep -q ' console  *turn ' said && ! grep ' two/0 ' said
result $? 'for people, of one VM'
cp said.2 said
grep -q ' one/0  *HLT ' said && grep -q ' two/0  *WRMSR ' said && ! grep 'CPUID\|turn' said
result $? 'of some reasons'
python3 "$here/../native/tool/perfetto.py" all.perfetto >said 2>&1
result $? 'the format of Perfetto, as protoc and its rules have it'
grep -q '^one/one/0: CPUID [0-9]' said && grep -q '^two/two/0: CPUID' said && grep -q '^one/one/0: monitor' said &&
    grep -q '^CPUs/CPU 0: one/0' said && grep -q '^CPUs/CPU 0: console' said && grep -q '^Processes/control: runs' said
result $? 'has a track for each CPU, vCPU and process'
# The last second of a VM that is stopped: a second has 10000000 ticks here.
"$lintel" trace --last 1 --csv -o last.csv demo.sock one two >trace.err 2>&1 &
tracer=$!
for _ in {1..100}; do
    grep -q '^lintel: tracing' trace.err && break
    sleep 0.1
done
sleep 2
"$lintel" stop demo.sock one
wait $tracer
code=$?
cp trace.err said
head -n 3 last.csv >>said
[ $code = 0 ] && awk -F, 'NR == 2 { first = $1 } NR > 1 { last = $1 } END { exit !(NR > 20 && last - first <= 10000000) }' last.csv
result $? 'what was in the last second before a VM was stopped'
end

# A hypervisor that breaks, while a VM is traced.
break_at "$build/hypervisor/lintel-hypervisor" power_off
LINTEL_HYPERVISOR=$work/broken start
traced_until demo.sock one -- "$lintel" poweroff demo.sock one >/dev/null 2>&1
wait $run
sed -n '/: panic: /,$p' whole >said
says '^lintel: panic: #UD in the hypervisor' 'a hypervisor that breaks'
awk '/the last exits that were traced here/ { told = 1; next }
    told && $2 == "at" && $5 == "vm" && $6 == 0 && $8 == 0 && (!last || $3 < last) && /: [A-Za-z]/ { count++; last = $3; next }
    told { exit }
    END { exit count != 20 }' said
result $? 'tells the last twenty exits of it, one before the other'
end

# A victim beside one that exits all the time, and is traced meanwhile. It begins to count when the trace has begun: to start it is work of
# the control process's, which then is a third one.
printf 'vms:\n  - {name: victim, kernel: %s/guests/victim.elf, memory: 16M, cmdline: input}\n  - {name: hostile, kernel: %s/guests/hostile.elf, memory: 16M, cmdline: exits}\n' \
    "$build" "$build" >vm.yaml
mkfifo typed
exec 7<>typed
: >whole
timeout 130 "$lintel" run --on bochs --time $start_time --timeout 120 --cpu "$cpu" --hypervisor-options console=focus --control demo.sock \
    vm.yaml >whole 2>&1 <typed 7>&- &
run=$!
for _ in {1..300}; do
    sleep 0.2
    : >trace.err
    "$lintel" trace --seconds 100 demo.sock hostile >trace.out 2>trace.err &
    tracer=$!
    until grep -q '^lintel: tracing' trace.err; do
        kill -0 $tracer 2>/dev/null || continue 2 # the machine does not answer yet
        sleep 0.1
    done
    break
done
echo begin >&7
for _ in {1..500}; do
    grep -aq '^lintel: vm victim: \(powered\|stopped\)' whole && break
    sleep 0.2
done
{ kill -9 $tracer && wait $tracer; } 2>/dev/null
tr -d '\r' <whole >said
grep '^# ' said
grep -q '^lintel: tracing' trace.err && grep -q '^1\.\.' said && ! grep -qE "^not ok|^Bail out" said && [ "$(grep -cE "(^|: )ok [0-9]" said)" -ge 3 ]
result $? 'a VM beside one that does nothing but exit, and is traced, gets its share'
end
plan
