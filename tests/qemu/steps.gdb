# SPDX-License-Identifier: BSD-2-Clause
# What gdb.sh has gdb do with guests/debugged.c, on two CPUs, from its guest_main on. A step begins with its name.
echo == where/frame\n
frame
printf "cs %x ss %x if %d\n", $cs, $ss, ($eflags >> 9) & 1
echo == where/control-registers\n
printf "%lx %lx %lx\n", $cr0, $cr4, $efer
echo == where/threads\n
thread apply all -q printf "thread %d\n", $_thread
echo == where/code\n
x/3i guest_main
echo == where/next\n
next
echo == break/source-line\n
break factorial
continue
echo == break/arguments\n
info args
print/x $rdi
echo == break/again\n
continue
echo == break/condition\n
delete
break factorial if n == 2
continue
echo == break/backtrace\n
backtrace
echo == break/up\n
up
print n
down
echo == finish/value\n
finish
echo == finish/again\n
finish
echo == break/ignored\n
delete
break turn
ignore $bpnum 2
continue
print n
echo == step/line\n
step
echo == watch/change\n
delete
watch watched
continue
info registers rip
echo == watch/condition\n
delete
watch watched if watched > 20
continue
echo == watch/read\n
delete
rwatch looked_at
continue
info registers rip
echo == watch/access\n
delete
awatch watched
continue
continue
echo == watch/a-byte\n
delete
watch *(char *)&watched
continue
echo == stepi/cpuid\n
delete
thbreak step_cpuid
continue
stepi
printf "%d %x\n", $pc == &behind_cpuid, $rbx
echo == stepi/pushf\n
tbreak step_pushf
continue
stepi
printf "%d tf %d\n", $pc == &behind_pushf, *(long *)$rsp & 0x100
echo == stepi/iret\n
tbreak step_iret
continue
stepi
printf "%d tf %d\n", $pc == &behind_iret, (int)$eflags & 0x100
echo == stepi/popf\n
tbreak step_popf
continue
stepi
printf "%d tf %d\n", $pc == &behind_popf, (int)$eflags & 0x100
echo == stepi/syscall\n
tbreak step_syscall
continue
stepi
printf "%d tf %d\n", $pc == &syscalled, $r11 & 0x100
echo == stepi/rep\n
tbreak step_rep
continue
stepi
printf "%d %d\n", $pc == &step_rep, $rcx
stepi 14
printf "%d %d\n", $pc == &step_rep, $rcx
echo == stepi/hlt\n
break on_tick
tbreak step_hlt
continue
stepi
printf "%d\n", $pc == &behind_hlt
echo == interrupt/break\n
continue
echo == interrupt/backtrace\n
backtrace 2
echo == interrupt/frame\n
printf "%d %x %d\n", frame->rip == &behind_hlt, frame->cs, ticks
echo == interrupt/watch\n
watch ticks
continue
delete
echo == interrupt/finish\n
finish
echo == interrupt/return\n
tbreak *behind_hlt
continue
info symbol $pc
echo == stepi/int3\n
tbreak step_int3
continue
stepi
printf "%d\n", (long)$pc == (long)&interrupt_stubs + 48
echo == memory/write\n
set var looked_at = 0x1122334455667788
print/x looked_at
x/8xb &looked_at
set var looked_at = 0
echo == registers/write\n
set $r15 = 0x123456789abcdef
print/x $r15
echo == debug-registers/of-the-guest\n
tbreak debug_registers
continue
finish
echo == user/interrupt\n
break on_tick
tbreak step_to_user
continue
continue
printf "cs %x rip %lx\n", frame->cs, frame->rip
delete
echo == user/return\n
set $steps = 0
while ($cs & 3) == 0 && $steps < 200
stepi
set $steps = $steps + 1
end
printf "cs %x ss %x rip %lx rsp %lx\n", $cs, $ss, $pc, $rsp
echo == user/break\n
tbreak *(0xb0000000 + ((long)&step_user_cpuid - (long)&user_code))
continue
x/i $pc
echo == user/cpuid\n
stepi
printf "cs %x rip %lx rbx %x\n", $cs, $pc, $rbx
echo == user/syscall\n
stepi
printf "cs %x %d tf %d\n", $cs, $pc == &user_left, $r11 & 0x100
echo == second/start\n
set var patience = -1
break second
continue
if $pc != second
continue
end
echo == second/break\n
frame
echo == second/threads\n
thread apply all -q printf "thread %d\n", $_thread
echo == second/backtrace\n
thread apply 1 -q backtrace -2
echo == second/watch\n
delete
watch came
continue
printf "thread %d\n", $_thread
echo == second/step-alone\n
delete
thread apply 1 -q set $before = $pc
set scheduler-locking on
stepi
set scheduler-locking off
printf "thread %d\n", $_thread
thread apply 1 -q printf "%d\n", $pc == $before
echo == second/interrupt\n
break on_call
continue
printf "thread %d calls %d cs %x\n", $_thread, calls, frame->cs
echo == second/interrupt-again\n
continue
printf "thread %d calls %d\n", $_thread, calls
echo == second/condition\n
delete
break on_call if calls == 2
continue
printf "thread %d calls %d\n", $_thread, calls
echo == second/first\n
delete
set var stays = 1
tbreak stay
continue
printf "thread %d\n", $_thread
echo == stop/asked\n
shell (sleep 1; kill -INT $PPID) &
python gdb.execute("continue", to_string=True)
thread apply 1 -q printf "%d\n", $pc >= (long)&stay && $pc < (long)&stay + 32
set var stays = 0
echo == end\n
detach
