#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# control_line.sh BUILD CPU WORDS...: VMs seen and steered from outside, by the tool's commands; and a control line that floods the machine
# with noise and requests, which the VM beside does not notice, also where the process has another CPU, once with each of WORDS for the
# hypervisor.
build=$(realpath "$1") lintel=$build/tool/lintel cpu=$2
shift 2
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/../qemu/common.bash"

for name in a b c; do
    [ $name = a ] && echo vms:
    case $name in
    b) more=', control: no' ;;
    c) more=', vcpus: 2' ;;
    *) more= ;;
    esac
    printf '  - {name: %s, kernel: %s/guests/spin.elf, memory: 16M%s}\n' $name "$build" "$more"
done >vm.yaml
printf '  - {name: %s, kernel: %s/guests/button.elf, memory: 16M, cmdline: "%s"}\n' d "$build" '' e "$build" deaf >>vm.yaml
printf '  - {name: f, kernel: %s/guests/echo.elf, memory: 16M}\n' "$build" >>vm.yaml
timeout 530 "$lintel" run --on bochs --time $start_time --timeout 500 --cpu "$cpu" --hypervisor-options 'console=lines clear-memory=yes' \
    --control sock vm.yaml >whole 2>&1 </dev/null &
run=$!
for _ in {1..600}; do
    grep -aq 'line 40' whole && grep -aq '^\[d\] # ready' whole && break
    sleep 0.1
done

# exits NAME: how many exits a VM has had.
exits()
{
    "$lintel" ps sock | awk -v name="$1" '$1 == name { print $5 }'
}

# moves NAME, stands NAME: between two looks.
moves()
{
    local before
    before=$(exits "$1")
    for _ in {1..20}; do
        [ "$(exits "$1")" != "$before" ] && return
        sleep 0.2
    done
    return 1
}
stands()
{
    local before
    before=$(exits "$1")
    sleep 1
    [ "$(exits "$1")" = "$before" ]
}

# state NAME STATE
state()
{
    "$lintel" ps sock >said 2>&1
    grep -q "^$1 *$2 " said
}

state a running && state c running && ! grep -q '^b' said
result $? "ps lists the VMs that may be controlled"
moves a && moves c
result $? "their exits are counted"
"$lintel" top --batch sock >early
sleep 1
"$lintel" top --batch sock >later
cat early later >said
# value FILE SAMPLE
value()
{
    awk -v sample="$2" 'index($0, sample " ") == 1 { print substr($0, length(sample) + 2) }' "$1"
}
grows()
{
    awk -v a="$(value early "$1")" -v b="$(value later "$1")" 'BEGIN { exit !(b > a + 0) }'
}
grows 'lintel_vm_cpu_seconds_total{vm="a"}' && grows 'lintel_process_cpu_seconds_total{process="control"}'
result $? "top says what time VMs and processes have had"
spent='lintel_vm_cpu_seconds_total{vm="%s"}'
# shellcheck disable=SC2059
awk -v a="$(value later "$(printf "$spent" a)")" -v c="$(value later "$(printf "$spent" c)")" 'BEGIN { exit !(a < 1.5 * c) }'
result $? "of one with two vCPUs, which has as much as others, that of both"
! grep -vqE '^# (HELP|TYPE) lintel_[a-z_]+ |^lintel_[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")?\} [0-9]+(\.[0-9]+)?$' later &&
    ! grep -q 'vm="b"' later
result $? "in Prometheus's format, and nothing of a VM with 'control: no'"
"$lintel" ps --json seen sock
seen=$(value later 'lintel_vm_exits_total{vm="d",reason="HLT"}')
[ "$seen" ] && [ "$seen" = \
    "$(python3 -c 'import json; print(json.load(open("seen"))["vms"][2]["exits"]["HLT"])')" ]
result $? "and the same exits as ps"
"$lintel" pause sock a && state a paused && stands a && moves c
result $? "a VM that is paused stands still, and no other does"
"$lintel" reset sock a && stands a && ! grep -q 'vm a: restart' whole
result $? "it is not reset before it goes on"
"$lintel" resume sock a && state a running && moves a && grep -q '^lintel: vm a: restart: who controls the VM asks for it' whole
result $? "then it is, and goes on"
"$lintel" core sock a -o core 2>said && gdb -batch -nx -ex bt "$build/guests/spin.elf" core >said 2>&1
grep -qE '^#0  *(0x[0-9a-f]+ in )?spin \(\)' said && grep -q 'in guest_start (' said && state a running
result $? "gdb opens its core, and knows where it is"
# threads NAME: gdb's of its core.
threads()
{
    "$lintel" core sock "$1" -o core 2>said && gdb -batch -nx -ex 'info threads' -ex 'thread apply all bt' "$build/guests/spin.elf" core >said 2>&1
    grep -c '^[* ] *[0-9]* *LWP ' said
}
[ "$(threads c)" = 2 ] && grep -q 'LWP 1 .*spin ()' said && grep -q 'LWP 2 .*spin ()' said && [ "$(grep -c 'in guest_start (' said)" = 1 ] && state c running
result $? "one with two vCPUs is of two threads"
"$lintel" stop sock c && state c stopped && stands c && ! "$lintel" resume sock c 2>/dev/null
result $? "a VM that is stopped stands still"
"$lintel" start sock c && state c running && moves c && grep -q '^lintel: vm c: restart' whole
result $? "and starts anew"
"$lintel" poweroff sock e && "$lintel" poweroff sock d && state e running
for _ in {1..300}; do # its last line may come behind its end
    state d ended && grep -aq '^lintel: vm d: powered off' whole && break
    sleep 0.1
done
grep -aE '^\[d\] (not )?ok|^lintel: vm [de]: ' whole >said
[ "$(grep -c '^\[d\] ok' said)" = 3 ] && grep -q '^lintel: vm d: who controls the VM presses its power button$' said &&
    grep -q '^lintel: vm d: powered off: the guest switched itself off$' said
result $? "a guest hears of its power button, and switches itself off"
grep -q '^lintel: vm e: who controls the VM presses its power button: the guest does not look at it$' said
result $? "of one that does not look at it, the log says so"
! "$lintel" poweroff sock d 2>said && grep -q '^lintel: vm d is ended: it cannot be switched off$' said
result $? "one that has ended is not switched off again"
! "$lintel" pause sock b 2>said && grep -q "there is no VM 'b'" said
result $? "a VM with 'control: no' is left alone"
# Beside who has the line: what it wrote before, what it is told, and its end.
{ printf 'hello\n'; sleep 5; printf 'bye\n'; } | timeout 60 "$lintel" console sock f >said
[ $? = 0 ] && grep -q '^# ready' said && grep -q '^# heard hello' said && grep -q '^# heard bye' said && grep -q '^ok 1' said && ! grep -q 'line 40' said
result $? "a VM's console is seen and typed at from another terminal, until it ends"
cp whole said
grep -aq '^\[f\] # heard hello' whole && state f ended && ! "$lintel" console sock b </dev/null >said 2>&1 && grep -q "there is no VM 'b'" said
result $? "its output is on the line as well; of one with 'control: no' nothing is seen"
"$lintel" log -f sock >log &
log=$!
"$lintel" reset sock a
for _ in {1..50}; do
    [ "$(grep -c 'vm a: restart' log)" = 2 ] && break
    sleep 0.1
done
cp log said
grep -q '^lintel: version ' log && [ "$(grep -c 'vm a: restart' log)" = 2 ]
result $? "log -f shows the hypervisor's log as it grows"
{ kill -9 $log && wait $log; } 2>/dev/null
asks=()
for i in {1..6}; do
    "$lintel" ps sock >many.$i 2>&1 &
    asks+=($!)
done
wait "${asks[@]}"
cat many.* >said
[ "$(grep -c '^a *running' said)" = 6 ]
result $? "several tools at once are answered, and one that was killed harms none"
kill $run
wait $run

# flood HOME WORDS: a line that floods a machine with two CPUs, where the control process and the VM that it may control are at home on
# CPU HOME, and the hypervisor has these words.
flood()
{
    local home=$1 words=$2
    make_boot "end=bochs $words" vm victim "$build/guests/victim.elf" cmdline=280 vm long "$build/guests/victim.elf" "vcpu=$home" \
        console "$build/services/lintel-console" \
        process control "$build/services/lintel-control" "cpu=$home" dma=0 controls=2 ports=0x2f8:8 interrupt=3
    : >serial
    rm -f whole device
    python3 "$here/control_flood.py" "$PWD/serial" >flood 2>&1 &
    local pid=$!
    for _ in {1..50}; do
        [ -e device ] && break
        sleep 0.1
    done
    cpus=2 boot_image boot.iso "$cpu" 256 60 "com2: enabled=1, mode=term, dev=$(cat device)"
    kill $pid
    wait $pid
    cp said whole
    sed -n 's/^\[victim\] //p; s/^lintel: vm victim: //p' whole >said
    ! grep -qE '^not ok|^Bail out' said && [ "$(grep -c '^ok' said)" = 2 ] && grep -q '^powered off: ' said
    result $? "a VM beside a hostile control line gets its share"
    grep -E '^lintel|^answers' whole flood >said
    ! grep -q '^lintel: process control: stopped\|panic' whole && grep -q '^lintel: end: 2 VMs, 0 faults' whole
    result $? "the control process and the hypervisor outlive it"
    grep -qE 'answers [0-9]{2,} others 0$' flood && grep -q '^lintel: vm long: restart' whole
    result $? "what of it was whole is answered, for the VM that it may control"
}
flood 0 ''
for words; do
    flood 1 "$words"
done

# A machine without that port.
make_boot end=bochs vm a "$build/guests/reset.elf" console "$build/services/lintel-console" \
    process control "$build/services/lintel-control" dma=0 controls=1 ports=0x2f8:8 interrupt=3
boot_image boot.iso "$cpu" 256 60
says '^lintel: process control: ended: no serial port answers at 2f8: nothing is controlled by it$' 'a port that is not there'
says '^lintel: end: 1 VMs, 0 faults$' 'its VM runs all the same'
plan
