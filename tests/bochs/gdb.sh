#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# gdb.sh BUILD CPU WORDS: Debian's gdb debugs a VM by lintel gdb, on a hypervisor with WORDS, as docs/debug.md has it: from its first
# instruction on, to which its guest comes only then; breakpoints, watchpoints, single steps over what could keep a trace of them; and
# what becomes of the VM, and of the one beside it, when gdb or the tool dies.
build=$(realpath "$1") cpu=$2 words=$3
export lintel=$build/tool/lintel
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"

cat >vm.yaml <<END
vms:
  - {name: a, kernel: $build/guests/debugged.elf, memory: 16M, control: wait}
  - {name: u, kernel: $build/guests/syscall.elf, memory: 16M, control: wait}
  - {name: w, kernel: $build/guests/spin.elf, memory: 16M, control: wait, on-fault: stop}
  - {name: f, kernel: $build/guests/triple_fault.elf, memory: 16M, control: wait, on-fault: stop}
  - {name: d, kernel: $build/guests/debugged.elf, memory: 16M, control: wait}
  - {name: s, kernel: $build/guests/several.elf, memory: 16M, vcpus: 2, control: wait}
  - {name: v, kernel: $build/guests/spin.elf, memory: 16M}
END
timeout 400 "$lintel" run --on bochs --time $start_time --timeout 390 --cpu "$cpu" --hypervisor-options "console=lines $words" \
    --control sock vm.yaml >whole 2>&1 </dev/null &
run=$!
for _ in {1..300}; do
    grep -q 'line 40' whole && break
    sleep 0.1
done

# serve VM [OPTION...]: lintel gdb, until it waits for gdb; its process is $server.
serve()
{
    : >server.out
    "$lintel" gdb --socket gdb.sock "${@:2}" sock "$1" >server.out 2>&1 &
    server=$!
    for _ in {1..200}; do
        grep -q 'waits for gdb' server.out && return
        sleep 0.1
    done
}

# debug KERNEL: gdb with the commands of stdin; `said` is what it says.
debug()
{
    {
        printf 'set pagination off\nset confirm off\nset remotetimeout 30\ntarget remote gdb.sock\n'
        cat
    } >commands
    timeout 120 gdb -batch -nx -x commands "$build/guests/$1.elf" >said 2>&1 </dev/null
    wait "$server" # the VM goes on
}

# finds PATTERN NAME: in all that gdb has said, of which ^ and $ are the ends of lines.
finds()
{
    grep -qE -- "$1" said
    result $? "$2"
}

# state VM STATE: it gets there, in a while.
state()
{
    for _ in {1..100}; do
        "$lintel" ps sock 2>/dev/null | grep -q "^$1 *$2 " && return
        sleep 0.1
    done
    return 1
}

! grep -q '^\[[aufdws]\]' whole && "$lintel" ps sock >said && [ "$(grep -c ' paused ' said)" = 6 ]
result $? 'VMs with control: wait have not begun'

serve a
debug debugged <<'END'
printf "first: %d\n", $pc == &start64
tbreak guest_main
continue
break factorial if n == 2
continue
backtrace
finish
delete
tbreak turn
continue
watch watched
continue
continue
delete
awatch looked_at
continue
delete
hbreak step_cpuid
continue
stepi
printf "cpuid: %d %x\n", $pc == &behind_cpuid, $rbx
monitor exit
delete
tbreak step_pushf
continue
stepi
printf "pushf: %d %d\n", $pc == &step_pushf + 1, *(long *)$rsp & 0x100
tbreak step_iret
continue
stepi
printf "iret: %d %d\n", $pc == &step_iret + 2, (int)$eflags & 0x100
tbreak step_popf
continue
stepi
printf "popf: %d %d\n", $pc == &step_popf + 1, (int)$eflags & 0x100
tbreak step_syscall
continue
stepi
printf "syscall: %d %d\n", $pc == &syscalled, $r11 & 0x100
tbreak step_rep
continue
stepi
printf "rep: %d %d\n", $pc == &step_rep, $rcx
break on_tick
tbreak step_hlt
continue
stepi
printf "hlt: %d\n", $pc == &behind_hlt
continue
backtrace 2
finish
tbreak step_int3
continue
stepi
printf "int3: %d\n", (long)$pc == (long)&interrupt_stubs + 48
tbreak debug_registers
continue
monitor regs
monitor msr LSTAR
monitor msr 0x277
monitor msr nonsense
monitor help
set var looked_at = 77
printf "set: %d\n", looked_at
set $rdx = 0x123456789
printf "rdx: %lx\n", $rdx
x/2i $pc
info threads
detach
END
cp said a.gdb
finds '^first: 1$' 'it stands at its first instruction'
finds '^Temporary breakpoint 1, guest_main \(\) at .*debugged\.c:[0-9]+$' 'a breakpoint, with its source line'
finds '^Breakpoint 2, factorial \(n=n@entry=2\)' 'a conditional breakpoint'
[ "$(grep -c '^#[0-3] .*factorial (n=' said)" = 4 ] && grep -q '^#4 .* in guest_main ()' said
result $? 'a backtrace'
finds '^Value returned is \$[0-9]+ = 2$' 'finish, with the value'
grep -A 1 '^Old value = 0' said | grep -q '^New value = 1' && grep -A 1 '^Old value = 1' said | grep -q '^New value = 3'
result $? 'a watchpoint stops at each change'
finds '^Value = 0$' 'one for reads, too'
finds '^cpuid: 1 756e6547$' 'a hardware breakpoint, and a step over CPUID'
finds '^exit reason [0-9]+ \(.*\), qualification ' 'monitor exit'
for step in 'pushf: 1 0' 'iret: 1 0' 'popf: 1 0' 'syscall: 1 0' 'rep: 1 15' 'hlt: 1' 'int3: 1'; do
    finds "^$step\$" "a single step over ${step%%:*} leaves no trace"
done
grep -q '^#0  on_tick (frame=' said && grep -q '^#1 .* in interrupt_common ()' said && grep -q '^interrupt_common () at ' said
result $? 'a breakpoint in an interrupt handler, and finish to its end'
finds '^cs   0008 base 0 limit ffffffff' 'monitor regs'
finds "^the guest's own: dr0 0 dr1 0 .* dr7 400\$" "the guest's debug registers are its own"
grep -q '^MSR c0000082: [0-9a-f]*$' said && grep -q '^MSR 277: 7040600070406$' said && grep -q '^nonsense: no MSR has this name' said
result $? 'monitor msr'
finds '^monitor physical ' 'monitor help'
grep -q '^set: 77$' said && grep -q '^rdx: 123456789$' said
result $? 'memory and registers are written'
finds '^\* 1 +Thread 1 "vCPU 0" debug_registers \(\)' 'the threads are vCPUs'
for _ in {1..200}; do
    grep -q '^lintel: vm a: powered off' whole && break
    sleep 0.1
done
cp whole said
! grep -q '^\[a\] not ok' whole && [ "$(grep -c '^\[a\] ok ' whole)" = 14 ] && grep -q '^lintel: vm a: powered off' whole
result $? 'its guest has noticed nothing, and goes on without gdb'

# The session of docs/debug.md, which the first error would end.
serve d
debug debugged < <(sed -n '/^```gdb$/,/^```$/{/^```/d;p}' "$here/../../docs/debug.md")
! grep -q 'Error in' said && grep -q 'detached' said && grep -q '^MSR c0000082: ' said
result $? 'the session of the documents'

# Ring 3, where a program lies at another address than its kernel's symbols say.
serve u
debug syscall <<'END'
tbreak user_run
continue
tbreak *0xb0000000 + ((long)&user_cpuid - (long)&user_text)
tbreak *$rdi
continue
printf "ring: %d\n", $cs & 3
stepi
printf "ring then: %d %lx\n", $cs & 3, $pc - 0xb0000000
set $i = 0
while ($cs & 3) != 0 && $i < 20
stepi
set $i = $i + 1
end
info symbol $pc
kill
END
finds '^ring: 3$' 'a breakpoint in ring 3'
finds '^syscall_entry in section' 'single steps from ring 3 by SYSCALL into the kernel'
state=$("$lintel" ps sock | awk '$1 == "u" { print $2 }')
[ "$state" = stopped ]
result $? "kill stops the VM: it is $state"

# Two vCPUs: the second one stops where its SIPI has it begin, and at a breakpoint, which it steps over alone, and the first one stands
# meanwhile.
serve s
debug several <<'END'
info threads
set var patience = -1
break ap_arrive
continue
printf "second: %d %d\n", $_thread, $pc
continue
printf "there: %d\n", $_thread
info threads
set $before = $pc
stepi
printf "step: %d %d\n", $_thread, $pc > $before && $pc < $before + 16
delete
shell $lintel ps sock >state.s
thread 1
backtrace 3
tbreak reset
continue
printf "first: %d\n", $_thread
detach
END
cp said s.gdb
grep -q '^second: 2 0$' said && grep -q '^there: 2$' said && grep -q '^step: 2 1$' said && grep -q '^first: 1$' said
result $? 'two vCPUs: each stops at its breakpoints, the second one where it starts, too'
[ "$(grep -c '^[ *] [12] *Thread ' said)" = 3 ] && grep -q '^#[12] .*reset_beside' said && grep -q '^s *paused ' state.s
result $? 'two threads: the other one stands, too, and has a backtrace'
! "$lintel" ps sock | grep -q '^s *paused ' && ! grep -q 'vm s: stopped' whole
result $? 'both go on without gdb'

# Somebody stops a VM while gdb has it: gdb is told, and it does not go on when gdb is gone.
serve v
rm -f here
debug spin <<'END' &
shell touch here
continue
END
debugs=$!
for _ in {1..200}; do
    [ -e here ] && break
    sleep 0.1
done
state v running
"$lintel" stop sock v
wait $debugs $server
finds '^Program terminated with signal SIGTERM' 'gdb is told of a VM that somebody stops'
state v stopped
result $? 'which stays so'
serve v
debug spin <<'END'
stepi
END
finds '^Program terminated with signal SIGTERM' 'likewise by a step of one that was stopped before'
state v stopped && "$lintel" start sock v && state v running
result $? 'until it is started'

serve f
debug triple_fault <<'END'
continue
continue
END
finds '^Program received signal SIGSEGV' 'it stops at a triple fault'
finds 'exited normally|Remote connection closed' 'which then has its effect'

# A state that the processor refuses is this VM's own affair.
serve w
debug spin <<'END'
set $cr4 = 0xffffff20
END
finds 'Could not write register "cr4"' 'a bit of CR4 that there is not is refused'
serve w
debug spin <<'END'
set $eflags = 0
continue
END
for _ in {1..200}; do
    grep -q '^lintel: vm w: stopped' whole && break
    sleep 0.1
done
cat whole >>said
finds '^lintel: vm w: stopped' 'a state that cannot be entered ends its VM'

# Who dies leaves nothing.
printf 'target remote gdb.sock\nstepi\nshell touch here\nshell sleep 20\n' >commands
# look: a gdb, whose number is gdb, has stopped VM v for 20 s.
look()
{
    rm -f here
    serve v
    timeout 100 gdb -batch -nx -x commands "$build/guests/spin.elf" >said 2>&1 </dev/null &
    gdb=$!
    for _ in {1..200}; do
        [ -e here ] && break
        sleep 0.1
    done
}
look
"$lintel" ps sock | grep -q '^v *paused '
result $? 'while gdb looks, the VM stands still'
kill -9 "$(pgrep -P $gdb gdb)"
wait $gdb 2>/dev/null
wait $server
[ $? = 0 ] && state v running
result $? 'gdb dies: the VM goes on, and the tool ends'
look
{ kill -9 $server && wait $server; } 2>/dev/null
state v running
result $? 'the tool dies: the VM goes on'
wait $gdb
rm -f gdb.sock
serve v --wait
"$lintel" ps sock | grep -q '^v *paused ' && grep -q '^lintel: vm v: restart' whole
result $? '--wait: a VM that runs starts anew, and stops'
kill $server
wait $server
[ $? = 143 ] && state v running && [ ! -e gdb.sock ]
result $? 'a signal ends the tool: the VM goes on'
kill $run
wait $run
plan
