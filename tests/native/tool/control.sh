#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# control.sh LINTEL ROOT: the control line from the tools' side, as TAP: lintel run --control, and what asks by its socket or by a
# serial port. In place of Bochs stands a script that plays the machine, control_machine.py.
schema=$(realpath "$(dirname "$0")/schema.py")
machine=$(realpath "$(dirname "$0")/control_machine.py")
. "$(dirname "$0")/common.bash"
export ASKED=$work/asked MACHINE=$machine HOW LINTEL=$lintel PATH=$work/bin:$PATH
mkdir bin
printf '#!/bin/bash\n[ "$1" != --help ] || exit\nport=$(sed -n "s/^com2:.*127.0.0.1:\\([0-9]*\\)$/\\1/p" bochsrc)\nexec python3 "$MACHINE" $HOW $port\n' >bin/bochs
chmod +x bin/*
make_program hypervisor
export LINTEL_HYPERVISOR=$work/hypervisor LINTEL_MONITOR=$work/hypervisor
make_program program
export LINTEL_CONSOLE=$work/program LINTEL_CONTROL=$work/program
make_kernel kernel
printf 'vms:\n  - {name: a, kernel: kernel, memory: 26M}\n  - {name: c, kernel: kernel, memory: 26M, control: no}\n' >vm.yaml

# begin HOW: a run with such a machine; `sock` is its socket.
begin()
{
    HOW=$1
    : >asked
    : >run.out
    "$lintel" run --on bochs --control sock --timeout 100 vm.yaml >run.out 2>&1 </dev/null &
    run=$!
    for _ in {1..100}; do
        grep -q version run.out && return
        sleep 0.1
    done
}

end()
{
    kill $run 2>/dev/null
    wait $run 2>/dev/null
}

begin good
expect 'ps lists the VMs that may be controlled' 0 '^a +running +16 MiB +7$' "$lintel" ps sock
! grep -q '^c' said && grep -q '^b *ended ' said
result $? 'and no other'
expect 'the socket is its user'"'"'s alone' 0 '^srw-------' ls -l sock
"$lintel" ps --json json sock
expect 'ps --json: it is JSON' 0 '"number":2,"name":"b","state":"ended","memory":16777216,"vcpus":1,"tsc":99,"time":49,"msr_writes":5,"msr_reads":6,"msr_skipped":8,"exits":\{"CPUID":7\}' \
    python3 -m json.tool --compact json
expect 'with drivers and services' 0 '"processes":\[\{"name":"console","tsc":99,"time":24\},\{"name":"an \\"odd\\" \\\\ one",' \
    python3 -m json.tool --compact json
expect 'as the schema has it' 0 '^as described$' python3 "$schema" ps json
for step in 'resume 2 running' 'pause 0 paused' 'pause 2 paused' 'reset 0 paused' 'resume 0 running' 'start 2 running' 'reset 0 running' \
    'stop 0 stopped' 'stop 0 stopped' 'resume 2 stopped' 'pause 2 stopped' 'reset 2 stopped' 'poweroff 2 stopped' 'start 0 running'; do
    read -r verb code after <<<"$step"
    "$lintel" "$verb" sock a >said 2>&1
    [ $? = "$code" ] && { [ "$code" = 0 ] || grep -q "^lintel: vm a is $after: it cannot be " said; } &&
        "$lintel" ps sock >said && grep -q "^a *$after " said
    result $? "$verb is $([ "$code" = 0 ] && echo done || echo refused): it is $after then"
done
: >asked
expect 'core writes an ELF core' 0 'Type: *CORE' sh -c '"$LINTEL" core sock a -o core && readelf -h core'
[ "$(dd if=core bs=1 skip=$((0x6000)) count=7 status=none)" = 'a piece' ] && [ "$(grep -c '^9 ' asked)" -le 65 ]
result $? 'with what is in memory, of which zeros are passed by'
sed -n 's/^8 0 //p' asked | paste -sd' ' >said
[ "$(cat said)" = "0 $((1 << 56)) $((2 << 56))" ] && readelf -n core >said && [ "$(grep -c NT_PRSTATUS said)" = 2 ]
result $? 'with the registers of each vCPU that has been started'
sed -n 's/^\([23]\) 0 .*/\1/p' asked | tr -d '\n' >said
[ "$(cat said)" = 23 ]
result $? 'and the VM is paused meanwhile'
expect 'core: a file that cannot be written' 4 'no/core: No such file or directory; name a file' "$lintel" core sock a -o no/core
expect 'core: a folder' 4 '^lintel: bin: this is no file for a core; name another' "$lintel" core sock a -o bin
ln -s /dev/null null
expect 'core: a device' 4 '^lintel: null: this is no file for a core; name another' "$lintel" core sock a -o null
[ -L null ]
result $? 'which stays'
expect 'core: a file that does not grow' 4 'full: File too large' bash -c 'ulimit -f 10; "$LINTEL" core sock a -o full'
! [ -e full ] && "$lintel" ps sock >said && grep -q '^a *running' said
result $? 'of which nothing is left, and the VM goes on'
expect 'core without a file' 2 "give the core's name with -o" "$lintel" core sock a
expect 'restore, where nothing is kept' 2 '^lintel: vm a cannot be restored: it has no snapshot, or a debugger is there; take one ' "$lintel" restore sock a
for step in 'snapshot running' 'restore running' 'pause paused' 'restore paused' 'snapshot paused' 'resume running'; do
    read -r verb after <<<"$step"
    : >asked
    "$lintel" "$verb" sock a >said 2>&1 && ! grep -q . said && "$lintel" ps sock >said && grep -q "^a *$after " said
    result $? "$verb: it is $after then"
    cat asked >>asked.all
done
# the pieces, each once, of a VM whose devices were at work when it was asked first; and it is resumed with the last
sed -n 's/^24 0 //p' asked.all | paste -sd' ' >said
[ "$(cat said)" = "$((1 << 32)) $((1 << 32)) $(((1 << 32) + 8)) $(((1 << 32) + 16)) 0 8 16" ]
result $? 'all of its pieces are asked for, again where its devices were at work'
mkdir in in/folder
printf abc >in/1-done
printf 'fault?' >in/2-fault
printf time >in/3-time
printf odd >in/4-odd
: >in/5-empty
printf 'xxxxx' >in/6-done
printf hidden >in/.hidden
cat >wanted <<'END'
lintel: vm a has not said yet that it is ready for inputs
1-done: done 294
2-fault: fault: the guest ?[2J
3-time: time: it was not done with it after 5 ms (--limit)
4-odd: time: it was not done with it after 5 ms (--limit)
5-empty: done 0
6-done: done 600
6 inputs: 3 were done, 3 were not
END
end
begin busy
"$lintel" fuzz --limit 5 --keep kept --json json sock a in >said 2>&1
code=$?
uniq said | diff wanted - >>said && [ $code = 1 ]
result $? 'fuzz: how each input of a folder ends'
ls kept >said && [ "$(paste -sd' ' said)" = '2-fault 3-time 4-odd' ] && cmp kept/2-fault in/2-fault
result $? 'fuzz --keep: those that were not done, as they were'
expect 'fuzz --json: it is JSON' 0 '"inputs":\[\{"name":"1-done","end":"done","value":294,"message":"done 294"\},\{"name":"2-fault","end":"fault","message":"fault: the guest \?\[2J"\},' \
    python3 -m json.tool --compact json
expect 'as the schema has it' 0 '^as described$' python3 "$schema" fuzz json
rm in/[2-4]*
expect 'fuzz: nothing but what is done' 0 '^3 inputs: 3 were done, 0 were not$' "$lintel" fuzz sock a in
"$lintel" ps sock >said && grep -q '^a *running ' said
result $? 'and the VM goes on'
cat >next.py <<'END'
import sys
for data in [b'ab', b'', b'f\nx']:
    sys.stdout.buffer.write(b'%d\n' % len(data) + data)
    sys.stdout.flush()
    sys.stderr.write(sys.stdin.readline())
END
expect 'fuzz --next: the inputs of a program' 1 '^3 inputs: 2 were done, 1 were not$' "$lintel" fuzz --keep kept --next 'python3 next.py 2>heard' sock a
printf 'done 195\ndone 0\nfault: the guest ?[2J\n' | diff - heard >said && printf 'f\nx' | cmp - kept/3
result $? 'which hears how each ended'
expect 'fuzz --next: no size' 2 '^lintel: --next: input 1 does not begin with a line that has its size' "$lintel" fuzz --next 'echo -1' sock a
expect 'fuzz --next: what ends too soon' 2 '^lintel: --next: input 1 ends before the 4 bytes that it shall have' "$lintel" fuzz --next 'printf "4\nabc"' sock a
expect 'fuzz --next: too much' 2 '^lintel: input 1 has 65 bytes, and the guest takes 64 at most; leave it out' "$lintel" fuzz --next 'echo 65' sock a
expect 'fuzz --next: a program that is none' 0 '^0 inputs' "$lintel" fuzz --next 'exec ./none' sock a
expect 'fuzz: too long a file' 2 "^lintel: input long has 65 bytes, and the guest takes 64 at most" sh -c 'mkdir long && printf %065d 1 >long/long && "$LINTEL" fuzz sock a long'
expect 'fuzz: a folder that is none' 2 '^lintel: no: No such file or directory; name a folder with an input in each file' "$lintel" fuzz sock a no
expect 'fuzz: a folder that cannot be made' 4 '^lintel: no/kept: No such file or directory; name a folder' "$lintel" fuzz --keep no/kept sock a in
expect 'fuzz: an input too much' 2 "give a run's socket, the name of a VM, and a folder with inputs or --next" "$lintel" fuzz --next true sock a in
expect 'fuzz: no limit' 2 "--limit takes a number from 1 to 3600000, not '0'" "$lintel" fuzz --limit 0 sock a in
expect 'fuzz of a VM that has ended' 1 '^lintel: vm b has ended; see lintel log sock b' "$lintel" fuzz sock b in
"$lintel" stop sock a
expect 'fuzz of a VM that is stopped' 2 '^lintel: vm a is stopped; have it start' "$lintel" fuzz sock a in
end
begin good
expect 'snapshot of a VM that has ended' 2 '^lintel: vm b has ended: it is not what it was any more' "$lintel" snapshot sock b
expect 'snapshot without a VM' 2 "give a run's socket and the name of a VM" "$lintel" snapshot sock
expect 'a VM that has ended' 2 '^lintel: vm b is ended: it cannot be started' "$lintel" start sock b
expect 'a VM that may not be controlled' 2 "^lintel: there is no VM 'c' that may be controlled" "$lintel" pause sock c
"$lintel" top --batch sock >batch
cat >wanted <<'END'
# HELP lintel_vm_cpu_seconds_total Time that the VM has had of CPUs, with its monitor's.
# TYPE lintel_vm_cpu_seconds_total counter
lintel_vm_cpu_seconds_total{vm="a"} 0.000005
lintel_vm_cpu_seconds_total{vm="b"} 0.000005
# HELP lintel_process_cpu_seconds_total Time that the driver or service has had of its CPU.
# TYPE lintel_process_cpu_seconds_total counter
lintel_process_cpu_seconds_total{process="console"} 0.000002
lintel_process_cpu_seconds_total{process="an \"odd\" \\ one"} 0.000002
# HELP lintel_vm_memory_bytes The VM's memory.
# TYPE lintel_vm_memory_bytes gauge
lintel_vm_memory_bytes{vm="a"} 16777216
lintel_vm_memory_bytes{vm="b"} 16777216
# HELP lintel_vm_state 1: the VM is in this state.
# TYPE lintel_vm_state gauge
lintel_vm_state{vm="a",state="running"} 1
lintel_vm_state{vm="b",state="ended"} 1
# HELP lintel_vm_exits_total VM exits, by their basic reason.
# TYPE lintel_vm_exits_total counter
lintel_vm_exits_total{vm="a",reason="CPUID"} 7
lintel_vm_exits_total{vm="b",reason="CPUID"} 7
# HELP lintel_vm_msr_switches_total To switch the VM's MSRs: WRMSR, RDMSR, and values that were right already.
# TYPE lintel_vm_msr_switches_total counter
lintel_vm_msr_switches_total{vm="a",how="written"} 5
lintel_vm_msr_switches_total{vm="a",how="read"} 6
lintel_vm_msr_switches_total{vm="a",how="skipped"} 8
lintel_vm_msr_switches_total{vm="b",how="written"} 5
lintel_vm_msr_switches_total{vm="b",how="read"} 6
lintel_vm_msr_switches_total{vm="b",how="skipped"} 8
END
diff wanted batch >said
result $? 'top --batch says all in the text format of Prometheus'
expect 'top without a terminal' 2 'the screen wants a terminal: take --batch' "$lintel" top sock
expect 'top: an interval that is none' 2 '--interval' "$lintel" top --interval 0 sock
# in_terminal NAME: runs lintel top in a terminal of that name.
in_terminal()
{
    TERM=$1 python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn([os.environ["LINTEL"], "top", "sock"])))' </dev/null
}
expect 'top on a terminal that nobody knows' 2 'this terminal has no screen: set TERM, or take --batch' in_terminal none-such
"$lintel" log sock >log
[ "$(wc -l <log)" = 60 ] && [ "$(sed -n 2p log)" = 'lintel: vm a: 16 MiB' ] && tail -n 1 log | grep -q '^lintel: a long line .*line $'
result $? 'log shows all of the log, frame by frame'
"$lintel" log sock a >said
[ "$(sort -u said)" = 'lintel: vm a: 16 MiB' ] && [ "$(wc -l <said)" = 20 ] && "$lintel" log sock b >said && ! [ -s said ]
result $? 'that of a VM is the lines about it'
expect 'log of a VM that may not be controlled' 2 "^lintel: there is no VM 'c'" "$lintel" log sock c
timeout 2 "$lintel" log -f sock >log
[ $? = 124 ] && [ "$(wc -l <log)" = 60 ]
result $? 'log -f waits for more'
printf 'hello, machine\n' | timeout 5 "$lintel" console sock a >said
[ $? = 124 ] && printf 'a says hello\r\nhello, machine\r\n' | cmp - said
result $? 'console shows a VM'"'"'s console, and what is typed there is sent, once, and goes on'
"$lintel" console sock b </dev/null >said
[ $? = 0 ] && [ "$(grep -c '^last words' said)" = 100 ]
result $? 'that of a VM that has ended is shown to its end'
expect 'console of a VM that may not be controlled' 2 "^lintel: there is no VM 'c' that may be controlled" "$lintel" console sock c
# In a terminal: Ctrl-] q leaves it, and the terminal is as it was, as when a signal ends it.
cat >typist.py <<'END'
import os, pty, select, signal, sys, termios, time
how = sys.argv[1]
pid, master = pty.fork()
if pid == 0:
    os.execl(os.environ['LINTEL'], 'lintel', 'console', 'sock', 'a')
before, shown, end = termios.tcgetattr(master), b'', time.monotonic() + 20
def until(text):
    global shown
    while time.monotonic() < end and text not in shown:
        if select.select([master], [], [], 1)[0]:
            shown += os.read(master, 4096)
until(b'its keys')
time.sleep(0.3)
raw = termios.tcgetattr(master) != before
os.write(master, b'x\x1dn\x1d\x1dy\x03')
until(b'x^]y\x03')
os.write(master, b'\x1dh')
until(b'this help')
os.write(master, b'\x1dq') if how == 'key' else os.kill(pid, signal.SIGTERM)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(code, raw, termios.tcgetattr(master) == before, shown.count(b'x^]y\x03'))
END
for step in 'key 0' 'signal 143'; do
    read -r how code <<<"$step"
    python3 typist.py "$how" >said 2>&1
    [ "$(cat said)" = "$code True True 1" ]
    result $? "a console in a terminal, left by a $how"
done

# The machine's ring has 2000 records, the first quarter of which is lost, and then 10 for each 9 exits.
"$lintel" trace --csv -o trace.csv sock a >said 2>&1 && grep -q '^lintel: 500 records were lost: ' said
result $? 'trace: what is lost is counted'
awk -F, 'NR == 2 && $1 != 4000 || NR > 1 && $3 != 3 || NR > 1 && $5 == "CPUID" && ($4 != "a/0" || $7 != 401000) { bad = 1 }
    $5 == "CPUID" { n[$6]++ } $5 == "turn" { n[$4 "," $2]++ }
    END { exit bad || NR != 1501 || n["ring 0"] != 1200 || n["-"] != 150 || n["an \"odd\" \\ one,10"] != 149 }' trace.csv
result $? 'and the rest is there, as CSV'
: >asked
"$lintel" trace --reason hlt --reason cpuid sock a >said 2>&1 && [ "$(grep -c ' CPUID ' said)" = 1350 ] && ! grep -q turn said &&
    [ "$(grep '^21 ' asked | sort -u | paste -sd,)" = "$(printf '21 %s\n' '0 0' '0 1' '0 2' '0 3' '1 2' '1 3' '2 3' '3 3' '4 3' '5 3' '6 3' '7 3' '8 3' | paste -sd,)" ]
result $? 'some reasons alone; VM and processes are traced meanwhile, and not any more'
"$lintel" trace --perfetto -o trace.perfetto sock 2>said && python3 "$(dirname "$machine")/perfetto.py" trace.perfetto >said 2>&1 &&
    grep -q '^a/a/0: CPUID 1350$' said && grep -q '^Processes/an .*: runs 150$' said
result $? 'for Perfetto, as protoc reads it'
expect 'trace: a reason that is none' 2 "--reason: no exit is called 'nothing'" "$lintel" trace --reason nothing sock
expect 'trace: a VM that may not be controlled' 2 "^lintel: there is no VM 'c' that may be controlled" "$lintel" trace sock c
expect 'trace: a file that cannot be written' 4 'no/file: No such file or directory; name a file' "$lintel" trace -o no/file sock
expect 'trace: a file that is full' 4 '^lintel: /dev/full: cannot be written$' "$lintel" trace -o /dev/full sock
expect 'a console that nobody can be shown' 4 'cannot be written|No space left' sh -c '"$LINTEL" console sock b >/dev/full'
expect 'trace: no time' 2 '--seconds' "$lintel" trace --seconds 0 sock
timeout --foreground -s TERM 2 "$lintel" trace --seconds 60 --csv sock >said 2>&1
[ $? = 124 ] && [ "$(grep -c ',CPUID,' said)" = 1350 ]
result $? 'a signal ends the time early, and what there is comes out'

# Several at once, some of which die, say too little, or say what is none.
python3 - <<'END'
import os, socket
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect('sock')
    return s
idle = [connect() for _ in range(4)]
half = connect()
half.send(b'\xa7\x01')
noise = connect()
noise.send(os.urandom(999).replace(b'\xa7', b'x'))
noise.settimeout(5)
try:
    closed = noise.recv(1) == b''
except ConnectionResetError:
    closed = True
deaf = connect()  # asks and goes
import struct, zlib
frame = bytes([0xa7, 1, 0, 1]) + bytes(4) + bytes(8)
deaf.send(frame[:4] + struct.pack('<I', zlib.crc32(frame)) + bytes(8))
deaf.close()
wrong = connect()
wrong.send(frame[:4] + struct.pack('<I', zlib.crc32(frame) ^ 1) + bytes(8))
wrong.settimeout(5)
closed &= wrong.recv(1) == b''
if closed and os.system(f'{os.environ["LINTEL"]} ps sock | grep -q "^a  *running"') == 0:
    open('well', 'w').close()
END
[ -e well ]
result $? 'a tool that says nonsense is cut off, one that is silent or gone harms none'
asks=()
for i in {1..12}; do
    "$lintel" ps sock >many.$i 2>&1 &
    asks+=($!)
done
wait "${asks[@]}"
cat many.* >said
[ "$(grep -c '^a  *running' said)" = 12 ]
result $? 'twelve at once are all answered'
"$lintel" gdb --socket gdb.sock sock a >gdb.out 2>&1 &
gdb=$!
for _ in {1..50}; do
    [ -S gdb.sock ] && break
    sleep 0.1
done
expect 'gdb waits at a socket of its user alone' 0 '^srw-------' ls -l gdb.sock
: >asked
python3 - <<'END'
import socket
s = socket.socket(socket.AF_UNIX)
s.connect('gdb.sock')
s.send(b'$qC#b4')
s.recv(99)
END
wait $gdb
[ $? = 0 ] && [ ! -e gdb.sock ] && grep -q '^13 0 1$' asked && [ "$(tail -n 1 asked)" = '13 0 16' ]
result $? 'when its client goes the VM goes on, and the tool ends'
: >asked
"$lintel" gdb --port 45231 sock a >gdb.out 2>&1 &
gdb=$!
for _ in {1..50}; do
    grep -q 'waits for gdb' gdb.out && break
    sleep 0.1
done
cp gdb.out said
grep -q "^vm a waits for gdb: gdb -ex 'target remote 127.0.0.1:45231' KERNEL" said
result $? 'gdb at a port says so'
expect 'gdb at a port that is in use' 4 '^lintel: port 45231: Address already in use; choose another with --port$' "$lintel" gdb --port 45231 sock a
python3 -c 'import socket, time; s = socket.create_connection(("127.0.0.1", 45231)); s.send(b"$qC#b4"); s.recv(99); time.sleep(5)' &
client=$!
for _ in {1..50}; do
    grep -q '^13 0 1$' asked && break
    sleep 0.1
done
kill -9 $gdb
{ wait $gdb; } 2>/dev/null
for _ in {1..50}; do
    grep -q '^13 0 16$' asked && break
    sleep 0.1
done
grep -q '^13 0 1$' asked && grep -q '^13 0 16$' asked
result $? 'one that was killed: its VM goes on'
{ kill $client && wait $client; } 2>/dev/null
expect 'gdb for a VM that has ended' 2 '^lintel: vm b is ended: it cannot be debugged' "$lintel" gdb sock b
expect 'gdb at no port' 2 'takes a number from 1 to 65535' "$lintel" gdb --port 0 sock a
! grep -q damaged asked
result $? 'nothing but whole requests has reached the machine'
"$lintel" run --on bochs --control sock vm.yaml >said 2>&1 </dev/null
[ $? = 4 ] && grep -q 'sock: no socket can be made there: Address already in use; name another path' said && kill -0 $run
result $? 'a socket that is in use is left alone'
echo mine >mine
"$lintel" run --on bochs --control mine vm.yaml >said 2>&1 </dev/null
[ $? = 4 ] && grep -q 'mine: no socket can be made there: Address already in use; name another path' said && [ "$(cat mine)" = mine ]
result $? 'and so is a file that is none'
expect 'by gdb, too' 4 'mine: no socket can be made there: Address already in use' "$lintel" gdb --socket mine sock a
[ "$(cat mine)" = mine ]
result $? 'which leaves the file'
end
[ ! -e sock ]
result $? 'the socket goes with its run'

begin damaged
expect 'a trace that is cut' 4 '^lintel: sock: what it says of the trace is damaged$' "$lintel" trace sock a
end
for step in 'clock ps' 'vcpus gdb' 'memory core' 'cpu trace' 'end trace'; do
    read -r what verb <<<"$step"
    begin "odd-$what"
    expect "a machine that says what cannot be of its $what" 4 '^lintel: sock: what it says of .* is damaged' timeout 20 "$lintel" "$verb" sock \
        $([ "$verb" = ps ] || echo a) $([ "$verb" != core ] || echo -o odd)
    end
done
begin odd-all
expect 'a name with control characters' 0 '^\?\]0;b\? +ended' "$lintel" ps sock
expect 'a log with some' 0 '^lintel: \?\[2J\?$' "$lintel" log sock
"$lintel" trace --csv sock >said 2>&1 && [ "$(grep -c ',a/0,turn' said)" = 375 ] && [ "$(grep -c ',?/0,turn' said)" = 375 ] &&
    [ "$(grep -c ',turn' said)" = 750 ]
result $? 'a trace of who cannot be: these turns are passed by'
expect 'and for Perfetto' 0 '^CPUs/CPU 3: a/0 375$' sh -c '"$LINTEL" trace --perfetto -o odd.perfetto sock && python3 "$1" odd.perfetto' sh "$(dirname "$machine")/perfetto.py"
end
begin noisy
expect 'what is no answer is passed by' 0 '^a +running' "$lintel" ps sock
kill -9 $run
wait $run 2>/dev/null
begin good
expect 'the socket of a run that was killed is made anew' 0 '^a +running' "$lintel" ps sock
end
# A machine that ends after so many answers.
for step in 'ps 1' 'trace 1' 'trace 3' 'trace 9' 'json 1' 'json 3' 'top 1' 'top 3' 'pause 1' 'pause 2' 'core 1' 'core 2' 'core 3' 'core 4' 'log 1' 'console 1' 'console 2'; do
    read -r verb answers <<<"$step"
    case $verb in
    json) words=(ps --json broken sock) ;;
    core) words=(core sock a -o half) ;;
    console) words=(console sock a) ;;
    top) words=(top --batch sock) ;;
    pause) words=(pause sock a) ;;
    trace) words=(trace --seconds 1 sock) ;;
    *) words=("$verb" sock) ;;
    esac
    begin "gone-$answers"
    expect "a machine that ends after answer $answers to $verb" 4 '^lintel: sock: nobody answers any more; has the machine ended' \
        "$lintel" "${words[@]}"
    end
done
[ ! -e half ]
result $? 'of a core nothing is left'
[ ! -s broken ]
result $? 'and of an object no half'
begin busy
# A terminal of 100 columns; q once the second look is there.
python3 - >said <<'END'
import fcntl, os, pty, re, select, struct, termios, time
pid, master = pty.fork()
if pid == 0:
    os.environ['TERM'] = 'vt100'
    os.execl(os.environ['LINTEL'], 'lintel', 'top', 'sock')
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))
shown, end = b'', time.monotonic() + 20
while time.monotonic() < end and b'HLT' not in shown:
    if select.select([master], [], [], 1)[0]:
        shown += os.read(master, 4096)
time.sleep(0.2)
os.write(master, b'q')
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(code, re.sub(rb'\x1b[\[(][0-9;?]*[a-zA-Z]|\x1b[=>]|[\x00-\x1f]', b' ', shown).decode())
END
grep -q '^0 .*NAME  *STATE .*EXITS/s' said && grep -q 'HLT 1000' said
result $? 'top shows what a VM has done in a second, on a screen; q ends it'
end
begin young
expect 'core of a VM that has not started' 4 '^lintel: vm a has no registers yet; try again when it has started' "$lintel" core sock a -o half
[ ! -e half ] && "$lintel" ps sock >said && grep -q '^a *running' said
result $? 'nothing is left of it, and the VM goes on'
end
begin slow
"$lintel" core sock a -o half >said 2>&1 &
core=$!
for _ in {1..50}; do
    grep -q '^10 ' asked && break
    sleep 0.1
done
[ -e half ] && kill $core
wait $core
[ $? = 143 ] && [ ! -e half ] && "$lintel" ps sock >said && grep -q '^a *running' said && [ "$(grep -c '^10 ' asked)" -le 3 ]
result $? 'core, ended by a signal: nothing is left of it, and the VM goes on'
end
begin version
expect 'another version' 4 'speaks version 9 of the control line, this tool 8$' "$lintel" ps sock
end
begin silent
SECONDS=0
expect 'a machine that is silent' 4 '^lintel: sock: nobody answers; does the machine boot yet\?' "$lintel" ps sock
[ $SECONDS -lt 20 ] && [ "$(wc -l <asked)" = 3 ]
result $? 'it is asked three times'
end

# A serial port: a pair of terminals, at the other end of which is a machine.
python3 - <<'END' &
import os, pty, subprocess, sys, tty
ends = [pty.openpty() for _ in range(1)]
master, slave = ends[0]
tty.setraw(slave)
open('device.tmp', 'w').write(os.ttyname(slave))
os.rename('device.tmp', 'device')
sys.argv = ['', 'damaged', f'/proc/self/fd/{master}']
exec(open(os.environ['MACHINE']).read().replace('tty.setraw(file, termios.TCSANOW)', 'pass').replace(
    'os.open(where, os.O_RDWR | os.O_NOCTTY)', str(master)))
END
port=$!
for _ in {1..50}; do
    [ -e device ] && break
    sleep 0.1
done
expect 'a serial port, whose first answer is lost' 0 '^a +running +16 MiB' "$lintel" ps "$(cat device)"
for step in 'pause 0 paused' 'pause 2 paused' 'resume 0 running' 'stop 0 stopped' 'start 0 running'; do
    read -r verb code after <<<"$step"
    "$lintel" "$verb" "$(cat device)" a >said 2>&1
    [ $? = "$code" ] && "$lintel" ps "$(cat device)" >said && grep -q "^a *$after " said
    result $? "the first answer to $verb is lost: it is $([ "$code" = 0 ] && echo done || echo refused)"
done
for verb in snapshot restore; do
    "$lintel" "$verb" "$(cat device)" a >said 2>&1 && "$lintel" ps "$(cat device)" >said && grep -q '^a *running ' said
    result $? "answers to $verb are lost: it is done, and the VM goes on"
done
flock "$(cat device)" sh -c 'touch held; sleep 2' &
holder=$!
for _ in {1..50}; do
    [ -e held ] && break
    sleep 0.1
done
expect 'who has to wait for the port is told so' 0 'another tool has this port; this one waits for its end' "$lintel" ps "$(cat device)"
grep -q '^a *running ' said
result $? 'and has it then'
wait $holder
expect 'and a core' 0 'Type: *CORE' sh -c '"$LINTEL" core "$(cat device)" a -o lossy && readelf -h lossy && cmp lossy core'
"$lintel" ps "$(cat device)" >said && grep -q '^a *running ' said
result $? 'for which the VM is paused no longer'
printf 'once' | timeout 5 "$lintel" console "$(cat device)" a >said
printf 'a says hello\r\nonce' | cmp - said
result $? 'the first answer to what is typed is lost: it is typed once'
"$lintel" poweroff "$(cat device)" a && "$lintel" ps "$(cat device)" >said && grep -q '^a *ended ' said
result $? 'the first answer to poweroff is lost: it is done'
kill $port
wait $port 2>/dev/null

expect 'no socket there' 4 "^lintel: gone: No such file or directory; name the socket of 'lintel run --control'" "$lintel" ps gone
expect 'a path that is too long' 4 'a socket'"'"'s path has at most 107 characters' "$lintel" ps "$(printf 'x%.0s' {1..120})"
expect 'top without a line' 2 "give a run's socket" "$lintel" top
expect 'ps without a line' 2 "give a run's socket" "$lintel" ps
expect 'pause without a VM' 2 "give a run's socket and the name of a VM" "$lintel" pause sock
expect 'log with an option it has not' 2 "'-x' is no option" "$lintel" log -x sock
echo "1..$count"
