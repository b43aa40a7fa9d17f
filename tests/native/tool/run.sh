#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh LINTEL: how `lintel run` treats what happens at the other end of the serial line, as TAP. In place of Bochs
# stands a script that plays the machine: it connects to the serial line as Bochs would, and follows a scene.
set -u

lintel=$(realpath "$1")
schema=$(realpath "$(dirname "$0")/schema.py")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work/tmp PATH=$work/bin:$PATH
mkdir tmp bin
count=0

cat >bin/bochs <<'E1'
#!/bin/bash
# The stand-in: $SCENE is a script that talks on descriptor 3.
port=$(sed -n 's/^com1:.*127.0.0.1:\([0-9]*\)$/\1/p' bochsrc)
exec 3<>/dev/tcp/127.0.0.1/$port
. "$SCENE"
E1
chmod +x bin/*
export LINTEL_HYPERVISOR=$work/kernel LINTEL_MONITOR=$work/kernel SCENE=$work/scene

# The smallest ELF kernel: a header, one segment.
{
    printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0\076\0\001\0\0\0'
    printf '\0\0\020\0\0\0\0\0\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\070\0\001\0\0\0\0\0\0\0'
    printf '\001\0\0\0\005\0\0\0\0\0\0\0\0\0\0\0\0\0\020\0\0\0\0\0\0\0\020\0\0\0\0\0\170\0\0\0\0\0\0\0\170\0\0\0\0\0\0\0\0\020\0\0\0\0\0\0'
} >kernel
printf 'vms:\n  - {name: a, kernel: kernel, memory: 8M}\n' >vm.yaml
{ cat vm.yaml; printf '  - {name: b, kernel: kernel, memory: 8M}\n'; } >two.yaml

result()
{
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/# out: /' out
        sed 's/^/# err: /' err
    fi
}

# described COMMAND NAME: the file `json` is what the schema says of this command's.
described()
{
    python3 "$schema" "$1" json >out 2>err
    result $? "$2"
}

# scene NAME CODE [OPTION...]: plays the scene on standard input; `typed` is what the user has typed, `vms` what runs.
typed=/dev/null vms=vm.yaml
scene()
{
    local name=$1 code=$2
    shift 2
    cat >scene
    timeout 30 "$lintel" run --on bochs "$vms" "$@" >out 2>err <"$typed"
    local got=$?
    echo "exit code $got, expected $code" >>err
    [ $got = "$code" ]
    result $? "$name: exit code"
}

# says FILE PATTERN NAME
says()
{
    grep -qE -- "$2" "$1"
    result $? "$3"
}

scene 'a good end' 0 <<'E1'
printf '\033[2Jfirmware\r\nBooting `Lintel'"'"'\r\nlintel: 1 starts\r\n\033[6nhello\r\nlintel: end: 1 VMs, 0 faults\r\n' >&3
E1
printf 'lintel: 1 starts\nhello\nlintel: end: 1 VMs, 0 faults\n' | cmp -s - out
result $? 'the output is plain, and starts with the hypervisor'
! grep -q 'Ctrl-' err
result $? 'without a terminal nothing is said of keys'
[ -z "$(ls tmp)" ]
result $? 'nothing is left in the folder for temporary files'


# Bochs's debugger, which makes it slow, runs only where it always does, and is told to go on.
scene 'how Bochs is started' 0 <<'E1'
printf 'lintel: said %s, told %s\r\nlintel: end: 1 VMs, 0 faults\r\n' "$*" "$(paste -sd' ')" >&3
E1
says out '^lintel: said -q -unlock -f bochsrc, told c q$' 'it is not asked for its debugger, which goes on where it runs'

# An emulator that goes on when the hypervisor has ended: nobody answered its port.
SECONDS=0
scene 'a good end that ends no emulator' 0 <<'E1'
printf 'lintel: end: 1 VMs, 0 faults\r\nlintel: the machine is halted; switch it off or reset it\r\n' >&3
sleep 60
E1
scene 'a panic that ends no emulator' 1 <<'E1'
printf 'lintel: panic: it broke\r\n' >&3
sleep 1
printf 'lintel:   rax 0\r\n' >&3
sleep 60
E1
says out 'rax 0' 'all that it says is shown'
vms=two.yaml
scene 'two VMs whose lines are told apart' 1 <<'E1'
printf 'lintel: end: 2 VMs, 1 faults\r\n' >&3
sleep 60
E1
[ $SECONDS -lt 20 ]
result $? 'the tool ends them a few seconds later'
scene 'a guest that may have said it in the name of the hypervisor' 5 --timeout 5 --hypervisor-options console=focus <<'E1'
printf 'lintel: end: 2 VMs, 0 faults\r\n' >&3
sleep 60
E1
vms=vm.yaml

scene 'a faulty VM' 1 <<'E1'
printf 'lintel: end: 2 VMs, 1 faults\r\n' >&3
E1
says err '^lintel: 1 of 2 VMs stopped for a fault$' 'the fault is told'
scene 'no VT-x' 1 <<'E1'
printf 'lintel: stopped: this CPU lacks ept (needed)\r\n' >&3
E1
says err '^lintel: the hypervisor stopped: this CPU lacks ept' 'the reason is told'
scene 'a panic' 1 <<'E1'
printf '00000012345e[CPU0  ] VMENTER FAIL: bad\n00000012346i[CPU0  ] noise\n' >bochs.log
printf 'lintel: panic: it broke\r\nlintel:   rax 0\r\n' >&3
E1
says err '^lintel: the hypervisor panicked: it broke' 'the panic is told'
says err 'VMENTER FAIL: bad' "the emulator's errors are shown"
! grep -q noise err
result $? "the emulator's other messages are not"
main=$(nm "$lintel" | sed -n 's/ T main$//p')
LINTEL_HYPERVISOR=$lintel scene 'a panic in a hypervisor that has symbols' 1 <<E1
printf 'lintel: panic: it broke\r\nlintel:   at   $main\r\nlintel:   from 0000000000000001\r\n' >&3
E1
says err "^lintel: $main is main\\+0x0 in the hypervisor\$" 'the place is named'
! grep -q '0000000000000001 is' err
result $? "a place that has no name is not"
scene 'an emulator that breaks off' 5 <<'E1'
printf 'lintel: 1 starts\r\n' >&3
echo 'something broke' >&2
exit 7
E1
says err '^lintel: bochs ended \(code 7\) before the hypervisor did' 'the early end is told'
says err 'something broke' 'what the emulator said is shown'
scene 'a guest that fakes the end' 5 <<'E1'
printf 'lintel: 1 starts\r\nlintel: end: 1 VMs, 0 faults\r\nmore\r\n' >&3
E1
cp bin/bochs connecting
printf '#!/bin/bash\necho "no such CPU model"\nexit 1\n' >bin/bochs
scene 'an emulator that does not connect' 4 <<'E1'
E1
says err '^lintel: bochs did not start \(code 1\); it said:' 'that is told'
says err 'no such CPU model' 'and why'
printf '#!/bin/bash\necho banner\necho "00000000000e[      ] wrong value"\necho banner\nexit 1\n' >bin/bochs
scene "an emulator's error before it has a log" 4 <<'E1'
E1
says err 'wrong value' 'the error is shown'
! grep -q banner err
result $? 'what is no error is not'
cp connecting bin/bochs

SECONDS=0
scene 'a machine that hangs' 5 --timeout 1 <<'E1'
echo $BASHPID >"$SCENE.pid"
printf 'lintel: 1 starts\r\n' >&3
sleep 60
E1
says err 'the run was ended after 1 s' 'the limit is told'
[ $SECONDS -lt 15 ] && ! kill -0 "$(cat scene.pid)" 2>/dev/null
result $? 'the emulator is ended with it'

cat >scene <<'E1'
echo $BASHPID >"$SCENE.pid"
printf 'lintel: 1 starts\r\n' >&3
sleep 60
E1
rm -f scene.pid
"$lintel" run --on bochs vm.yaml >out 2>err </dev/null &
tool=$!
for _ in $(seq 100); do [ -s scene.pid ] && grep -q starts out && break; sleep 0.1; done
kill -TERM $tool
wait $tool
code=$?
[ $code = 143 ] && ! kill -0 "$(cat scene.pid)" 2>/dev/null && [ -z "$(ls tmp)" ]
result $? 'SIGTERM ends the emulator, and leaves nothing'

# Nobody reads the output any more: with a guest that goes on, and with one that is silent for ever.
cat >scene <<'E1'
echo $BASHPID >"$SCENE.pid"
printf 'lintel: 1 starts\r\n' >&3
sleep 60
E1
SECONDS=0
{ timeout 30 "$lintel" run --on bochs vm.yaml 2>err </dev/null; echo $? >code; } | { grep -m 1 -q starts; exec <&-; sleep 1; }
cp code out
[ "$(cat code)" = 141 ] && ! kill -0 "$(cat scene.pid)" 2>/dev/null && [ $SECONDS -lt 15 ] && [ -z "$(ls tmp)" ]
result $? 'a reader that goes ends the emulator'
timeout 30 "$lintel" run --on bochs vm.yaml >/dev/full 2>err </dev/null
[ $? = 4 ] && grep -q 'output cannot be written: No space left' err
result $? 'a full disk ends the run, and is told'
timeout 30 "$lintel" run --on bochs vm.yaml --timeout 2 2>err <&- | cat >out
says out '^lintel: 1 starts$' 'it runs with its input closed'

# For a kernel's tester: the guest's status, results, logs, and where it was at the limit.
cat >status <<'E1'
printf 'lintel: 1 starts\r\nhello\r\nlintel: vm a: powered off: exit status 33\r\nlintel: end: 1 VMs, 0 faults\r\n' >&3
E1
scene 'an exit status' 33 --json json --junit junit --log logs --keep kept <status
says err '^lintel: vm a ended with exit status 33$' 'the status is told'
says json '"name": "a", "end": "exit", "good": false, "status": 33, ' 'it is in the JSON'
says junit '<failure type="exit" message="exit status 33"/>' 'and in the XML'
cmp -s out kept/console.log && [ "$(cat logs/a.log)" = hello ]
result $? 'the logs are written'
described run 'the JSON is as the schema has it'
printf '    success: 33\n' | cat <(printf 'vms:\n  - name: a\n    kernel: kernel\n    memory: 8M\n') - >success.yaml
vms=success.yaml scene 'a status that is the success' 0 --json json <status
says json '"good": true' 'the JSON says so'
scene 'a status, and another VM that faults' 1 <<'E1'
printf 'lintel: vm a: powered off: exit status 33\r\nlintel: end: 2 VMs, 1 faults\r\n' >&3
E1
scene 'a machine that says where its guests are' 5 --timeout 1 --json json <<'E1'
printf 'lintel: 1 starts\r\n' >&3
IFS= read -r -n 2 -d '' keys <&3
[ "$keys" = $'\035d' ] && printf 'lintel: vm a: vcpu 0: rip 0008:0000000000100000 rflags 2\r\nlintel: vm a: bytes at rip: 90\r\n' >&3
sleep 60
E1
says out '^lintel: vm a: bytes at rip: 90$' 'that is shown before the end'
described run 'and is in the JSON as the schema has it'
vms=two.yaml scene 'a machine that is slow to say it' 5 --timeout 1 <<'E1'
printf 'lintel: 1 starts\r\n' >&3
IFS= read -r -n 2 -d '' keys <&3
for vm in a b; do
    sleep 3
    printf 'lintel: vm %s: bytes at rip: 90\r\n' $vm >&3
done
sleep 60
E1
says out '^lintel: vm b: bytes at rip: 90$' 'is waited for as long as it says something'
cat >scene <<'E1'
printf 'lintel: caps: VT-x is enabled by the firmware\r\nlintel: unrestricted-guest ok\r\nlintel: caps: verdict: Lintel runs on this CPU\r\n' >&3
E1
timeout 30 "$lintel" caps --cpu a --json json >out 2>err
says json '"name": "unrestricted-guest", "needed": true, "has": true' 'caps of an emulated CPU are in the JSON'
described caps 'as the schema has it'
scene 'results that cannot be written' 4 --json no/json </dev/null
says err '^lintel: no/json: No such file or directory; name a file that can be written' 'that is told'
scene 'a log that cannot be written' 4 --log vm.yaml/logs </dev/null
says err '^lintel: vm.yaml/logs/a.log: Not a directory; name a folder' 'that is told'

# What a killed run left is removed, but nothing that is in use, new, or not a folder of ours.
cat >good <<'E1'
printf 'lintel: 1 starts\r\nlintel: end: 1 VMs, 0 faults\r\n' >&3
E1
mkdir tmp/lintel-leftov tmp/lintel-heldxx tmp/lintel-newxxx tmp/lintel-other-name
touch tmp/lintel-leftov/image tmp/lintel-afilex
ln -s "$work/bin" tmp/lintel-linked
touch -d '2 minutes ago' tmp/lintel-leftov tmp/lintel-heldxx tmp/lintel-other-name tmp/lintel-afilex
exec 5<tmp/lintel-heldxx
flock 5
scene 'beside leftovers' 0 <good
ls tmp | tr '\n' ' ' >out
[ "$(cat out)" = 'lintel-afilex lintel-heldxx lintel-linked lintel-newxxx lintel-other-name ' ] && [ -x bin/bochs ]
result $? 'what a killed run left is removed, and nothing else'
exec 5<&-
rm -r tmp/*
scene 'a file for the kept folder' 4 --keep vm.yaml <good
says err '^lintel: vm.yaml: Not a directory; name a folder' 'that is told'
# Nobody reads what the tool says on standard error.
cp good scene
{ sleep 0.3; timeout 30 "$lintel" run --on bochs vm.yaml 2>&1 >out </dev/null; echo "code $?" >code; } | :
grep -qx 'code 0' code && grep -q '^lintel: end' out && [ -z "$(ls tmp)" ]
result $? 'a run goes on when nobody reads its standard error'

# What the machine boots cannot be made.
echo other >other
LINTEL_HYPERVISOR=$work/other scene 'a hypervisor that is none' 4 <good
says err '^lintel: .*/other: this is not the hypervisor; build it with ninja$' 'that is told'
head -c 119 kernel >short
LINTEL_HYPERVISOR=$work/short scene 'a hypervisor that is cut off' 4 <good
LINTEL_DISC_LOADER=$work/nothing scene 'no loader' 4 <good
says err '/nothing: No such file or directory; build with ninja, or set LINTEL_DISC_LOADER$' 'that is told, too'
# A kernel that is written anew between the check and the disc: when the emulator is asked for its CPUs.
cp kernel shrinks
cp -r bin shrinking
printf '#!/bin/bash\n[ "$1" = --help ] && truncate -s 130 shrinks && echo corei7_haswell_4770\n' >shrinking/bochs
printf 'vms:\n  - {name: a, kernel: shrinks, memory: 8M}\n' >shrinks.yaml
truncate -s 3000000 shrinks
PATH=$work/shrinking:$PATH vms=shrinks.yaml scene 'a kernel that becomes shorter meanwhile' 4 --cpu corei7_haswell_4770 <good
says err '^lintel: shrinks: it has become shorter meanwhile; start again when it is complete$' 'that is told'
(ulimit -f 8; timeout 30 "$lintel" run --on bochs vm.yaml >out 2>err </dev/null; echo "code $?" >>err)
says err '/lintel.iso: File too large$' 'no room for the disc'
says err '^code 4$' 'which ends the run'
[ -z "$(ls tmp)" ]
result $? 'and leaves nothing'

# Signals before the machine runs: nothing is left. nohup's signal is none.
printf '#!/bin/bash\nfor word; do [ "$last" = -o ] && echo half >"$word"; last=$word; done\necho $$ >"$SCENE.pid"\nsleep 60\n' \
    >bin/grub-mkrescue
chmod +x bin/grub-mkrescue
rm -f scene.pid
"$lintel" image vm.yaml -o half.iso >out 2>err </dev/null &
tool=$!
for _ in $(seq 100); do [ -s scene.pid ] && break; sleep 0.1; done
kill -TERM $tool
wait $tool
code=$?
[ $code = 143 ] && ! kill -0 "$(cat scene.pid)" 2>/dev/null && [ ! -e half.iso ] && [ -z "$(ls tmp)" ]
result $? 'SIGTERM while the image is written leaves nothing'
cat >scene <<'E1'
printf 'lintel: 1 starts\r\n' >&3
sleep 2
printf 'lintel: end: 1 VMs, 0 faults\r\n' >&3
E1
(trap '' HUP; exec "$lintel" run --on bochs vm.yaml >out 2>err </dev/null) &
tool=$!
for _ in $(seq 100); do grep -q starts out && break; sleep 0.1; done
kill -HUP $tool
wait $tool
result $? 'a run that ignores SIGHUP goes on'

# Input: each line goes when there is a prompt, whole, however long.
long=$(printf 'x%.0s' {1..100})
printf 'one\n%s\nlast\n' "$long" >lines
typed=lines
scene 'lines for a shell' 0 <<'E1'
printf 'early ' >&3
printf 'lintel: 1 starts\r\n' >&3
if read -r -t 1 line <&3; then printf 'too early: %s\r\n' "$line" >&3; fi
for i in 1 2 3; do
    printf '# ' >&3
    read -r -t 10 line <&3
    printf '\r\ngot %s\r\n' "$line" >&3
done
printf 'lintel: end: 1 VMs, 0 faults\r\n' >&3
E1
says out '^got one$' 'the first line came'
says out "^got $long\$" 'a long line came whole'
says out '^got last$' 'the last line came'
! grep -q 'too early' out
result $? 'nothing came before the prompt'
typed=/dev/null

# The hypervisor's command line: an emulator's memory is not cleared, Bochs does without what it gets wrong, and the user has the
# last word. The plan has the console's: a file gets the lines of all VMs.
cat >menu <<'E1'
printf 'lintel: 1 starts\r\n' >&3
grep -a -o 'end=bochs[ -~]*' lintel.iso | sed 's/$/\r/' >&3
grep -a -o 'console=[a-z]*' lintel.iso | sed 's/.*/the plan says &\r/' >&3
printf 'lintel: end: 1 VMs, 0 faults\r\n' >&3
E1
scene 'one VM' 0 --hypervisor-options 'clear-memory=yes' <menu
says out '^end=bochs clear-memory=no hide=virtual-interrupt-delivery clear-memory=yes$' "the user's words are the last"
{ printf 'host: {hide: [vpid, ept-1g]}\n'; cat vm.yaml; } >hiding.yaml
vms=hiding.yaml
scene 'a description that hides' 0 <menu
says out ' hide=vpid,ept-1g,virtual-interrupt-delivery$' 'what the description hides is hidden as well'
vms=two.yaml
scene 'two VMs' 0 <menu
says out '^the plan says console=lines' 'two VMs show their lines'
scene 'two VMs, one at a time' 0 --hypervisor-options 'counters console=focus' <menu
says out '^the plan says console=focus' 'and one at a time, if the user says so'
says out ' counters$' 'which the hypervisor is not told'
typed=lines
scene 'two VMs and a script' 0 <menu
says out '^the plan says console=focus' 'a script is for one VM at a time'

# On a terminal: raw, with the escape key; afterwards as before.
cat >scene <<'E1'
printf 'lintel: 1 starts\r\n# ' >&3
while IFS= read -r -n 1 -d '' byte <&3; do printf '<%q>' "$byte" >&3; done
E1
cat >terminal <<E1
stty -g >before
"$lintel" run --on bochs vm.yaml
echo "code \$?" >code
stty -g >after
E1
mkdir 'tmp/a"b'
TMPDIR='tmp/a"b' "$lintel" run --on bochs vm.yaml --timeout 2 >out 2>err </dev/null
says out '^lintel: 1 starts$' 'any name of a folder will do'
rmdir 'tmp/a"b'
{ sleep 1.5; printf 'a\003\035n\035\035'; sleep 1; printf '\035h\035q'; sleep 0.5; } |
    timeout 30 script -qec 'bash terminal' /dev/null >out 2>err
grep -qx 'code 0' code
result $? 'Ctrl-] q ends the run well'
cmp -s before after
result $? 'the terminal is as before'
grep -A 1 'Ctrl-. q quits, ' out | grep -q '^lintel: 1 starts'
result $? 'its console tells of its keys first'
says out "<a><\\$'\\\\003'><\\$'\\\\035'><n><\\$'\\\\035'><\\$'\\\\035'>" 'keys go to the machine as they are'
says out 'the next VM.s console' 'Ctrl-] h helps'
printf "printf 'lintel: 1 starts\\r\\nlintel: vm a: stopped for a fault: it broke\\r\\n' >&3; sleep 60" >scene
{ sleep 1.5; printf '\035q'; sleep 0.5; } | timeout 30 script -qec 'bash terminal' /dev/null >out 2>err
grep -qx 'code 1' code
result $? 'Ctrl-] q after a fault tells of it'

# In the background of a terminal there is no console: nothing stops the tool, and each signal ends it.
cat >scene <<'E1'
echo $BASHPID >"$SCENE.pid"
printf 'lintel: 1 starts\r\n# ' >&3
read -r -n 1 -t 3 byte <&3 && printf '<%q>' "$byte" >&3
sleep 60
E1
for signal in HUP INT QUIT TERM USR1 ALRM; do
    cat >background <<E1
set -m
stty tostop
"$lintel" run --on bochs vm.yaml &
for _ in \$(seq 50); do [ -s scene.pid ] && break; sleep 0.1; done
sleep 0.5
stty -g >before
ps -o stat= -p \$! >state
kill -$signal \$!
wait \$!
echo "code \$?" >code
stty -g >after
E1
    rm -f scene.pid code
    sleep 3 | timeout 30 script -qec 'bash background' /dev/null >out 2>err
    cat code state >>err
    grep -qx "code $((128 + $(kill -l $signal)))" code && ! grep -q T state && ! kill -0 "$(cat scene.pid)" 2>/dev/null
    result $? "SIG$signal ends a run in the background"
done
cmp -s before after
result $? 'and the terminal is left alone'
{ sleep 1.5; printf x; sleep 2; } | timeout 30 script -qec "timeout 3 $lintel run --on bochs vm.yaml; echo code \$? >code" /dev/null >out 2>err
grep -qx 'code 124' code
result $? 'timeout(1) ends a run on a terminal'
says out 'lintel: 1 starts' 'which is shown meanwhile'
! grep -q '<x>' out
result $? 'and does not take what is typed there'
# A job that comes to the foreground gets its console.
cat >background <<E1
set -m
"$lintel" run --on bochs vm.yaml &
sleep 1
fg >/dev/null
echo "code \$?" >code
E1
cat >scene <<'E1'
printf 'lintel: 1 starts\r\n# ' >&3
while IFS= read -r -n 1 -d '' byte <&3; do printf '<%q>' "$byte" >&3; done
E1
{ sleep 3.5; printf 'a'; sleep 1; printf '\035q'; sleep 0.5; } | timeout 30 script -qec 'bash background' /dev/null >out 2>err
grep -qx 'code 0' code && grep -q '<a>' out
result $? 'a run that comes to the foreground has its console'

echo "1..$count"
