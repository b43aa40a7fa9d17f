#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cli.sh LINTEL MKINITRD ROOT: what the tool says on the command line, and its exit codes, as TAP. Nothing is booted.
mkinitrd=$(realpath "$2")
schema=$(realpath "$(dirname "$0")/schema.py")
. "$(dirname "$0")/common.bash"
export XDG_CACHE_HOME=$work/cache

make_kernel kernel
head -c 1536 kernel >truncated
head -c 4096 /dev/urandom >noise
mkdir folder
printf 'hello\n' >hello
echo 'file /hello 644 hello' >list
"$mkinitrd" initrd list
gzip -c initrd >initrd.gz
head -c 60 initrd.gz >truncated.gz
: >empty
long_name=$(printf 'x%.0s' {1..32})

# --- good descriptions
description 'the least' 0 '^vm.yaml: good: 1 VM, 2 files, ' <<'E1'
vms:
  - name: a
    kernel: kernel
    memory: 26M
E1
description 'all keys' 0 '^vm.yaml: good: 2 VMs, 3 files, 1024 MiB' <<'E1'
host: {memory: 1G, cpu: corei7_skylake_x, hide: [ept-1g, vpid], msr-switch: lazy}
vms:
  - {name: a, kernel: kernel, initrd: initrd.gz, cmdline: quiet, memory: 64M, vcpus: 1, console: serial}
  - {name: b, kernel: kernel, initrd: initrd.gz, memory: 64M, console: none, budget: 2500us, period: 5ms}
E1
mkdir elsewhere
expect 'check: files are relative to the description' 0 good env -C elsewhere "$lintel" check ../vm.yaml

# json NAME PATTERN: the file `json` is JSON, has this, and is what the schema says.
json()
{
    expect "check --json: $1" 0 "$2" python3 -m json.tool --compact json
    expect "check --json: $1, as the schema has it" 0 '^as described$' python3 "$schema" check json
}
"$lintel" check --json json vm.yaml >/dev/null
json 'a good description' '"good":true,"errors":\[\],"memory":1073741824,"cpus":1,"vms":\[\{"name":"a","memory":67108864,.*"budget_us":2500'
printf 'vms:\n  - {name: "a\\"b", kernel: kernel, memory: 26M}\n  - {name: b, kernel: gone, memory: 26M}\n' >bad.yaml
expect 'check --json: the exit code is that of the check' 3 '^bad.yaml:2:' "$lintel" check --json json bad.yaml
json 'all that is wrong, with its place' '"code":3,"good":false,"errors":\[\{"line":2,"column":12,"where":"vms\[0\].name","message":".*"\},\{"line":3,"column":23,"where":"vms\[1\].kernel","message":"gone: '
printf 'vms:\n  - {name: a, kernel: "\344.elf", memory: 26M}\n  - {nmae: b, kernel: kernel, memory: 26M}\n' >bad.yaml
"$lintel" check --json json bad.yaml 2>/dev/null
json 'a description that is no UTF-8' '"errors":\[\{"line":1,"column":1,"where":"","message":"this is no YAML: '
printf 'vms:\n  - {nmae: b, kernel: kernel, memory: 26M}\n' >$'bad\344.yaml'
"$lintel" check --json json $'bad\344.yaml' 2>/dev/null
json 'its name is not' '"description":"bad\\ufffd.yaml",.*"line":2,"column":6,"where":"vms\[0\]","message":"unknown key '"'nmae'"
"$lintel" check --json json gone.yaml 2>/dev/null
json 'no description' '"errors":\[\{"message":"gone.yaml: No such file'
expect 'check --json: a file that cannot be written' 4 'no/json: No such file or directory; name a file' "$lintel" check --json no/json vm.yaml
expect 'caps --json: a file that cannot be written' 4 'no/json: No such file or directory; name a file' "$lintel" caps --json no/json

description 'control' 3 "^vm.yaml:3:53: vms\[1\]\.control: 'maybe' is not possible; write yes or no" <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, control: no}
  - {name: b, kernel: kernel, memory: 26M, control: maybe}
E1
printf 'vms:\n  - {name: a, kernel: kernel, memory: 26M, control: no}\n' >private.yaml
expect 'image --control: no VM is left' 3 "^private.yaml:2:3: vms: no VM lets itself be controlled; take 'control: no' from one" \
    "$lintel" image --control -o image private.yaml

# --- YAML and schema
description 'no YAML' 3 '^vm.yaml:2:1: this is no YAML: ' <<'E1'
vms: [
E1
description 'empty' 3 '^vm.yaml:1:1: the file is empty' </dev/null
description 'a list' 3 '^vm.yaml:1:1: keys with values must be here' <<'E1'
- a
E1
description 'no list' 3 '^vm.yaml:1:6: vms: a list must be here' <<'E1'
vms: {name: a}
E1
description 'a list as a value' 3 '^vm.yaml:2:12: vms\[0\]\.name: one value must be here' <<'E1'
vms:
  - {name: [a], kernel: kernel, memory: 26M}
E1
description 'a list as a key' 3 '^vm.yaml:1:1: a key must be a word' <<'E1'
[a]: 1
E1
description 'a NUL' 3 '^vm.yaml:2:12: vms\[0\]\.name: this has a NUL character' <<'E1'
vms:
  - {name: "a\0b", kernel: kernel, memory: 26M}
E1
description 'two documents' 3 '^vm.yaml:3:1: a second document starts here' <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M}
---
vms:
  - {name: b, kernel: kernel, memory: 26M}
E1
description 'a second document that is no YAML' 3 '^vm.yaml:4:1: this is no YAML' <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M}
---
]
E1
description 'unknown key' 3 "^vm.yaml:6:5: vms\[0\]: unknown key 'memroy'; did you mean 'memory'\?" <<'E1'
vms:
  - name: memroy
    kernel: kernel
    memory: 26M
    # a comment
    memroy: 26M
E1
description 'a key that is like none' 3 "^vm.yaml:2:44: vms\[0\]: unknown key 'screen'; see lintel" <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, screen: d}
E1
description 'a tab' 3 '^vm.yaml:3:1: this is a tab; YAML is indented by spaces' <<'E1'
vms:
  - name: a
	kernel: kernel
E1
description 'unknown key at the top' 3 "^vm.yaml:1:1: unknown key 'vm'" <<'E1'
vm: []
E1
description 'missing key' 3 "^vm.yaml:2:5: vms\[0\]: the key 'memory' is missing" <<'E1'
vms:
  - name: a
    kernel: kernel
E1
description 'key twice' 3 "^vm.yaml:3:5: vms\[0\]\.name: the key 'name' is there twice; remove one" <<'E1'
vms:
  - name: a
    name: b
    kernel: kernel
    memory: 26M
E1
description 'no number' 3 '^vm.yaml:5:12: vms\[0\]\.vcpus: ' <<'E1'
vms:
  - name: a
    kernel: kernel
    memory: 26M
    vcpus: two
E1
description 'no such console' 3 "^vm.yaml:5:14: vms\[0\]\.console: 'vga' is no console; write serial, virtio or none" <<'E1'
vms:
  - name: a
    kernel: kernel
    memory: 26M
    console: vga
E1
description 'no VM' 3 '^vm.yaml:1:6: vms: there are 0 VMs; describe 1 to 8' <<'E1'
vms: []
E1
{ echo vms:; for i in 1 2 3 4 5 6 7 8 9; do echo "  - {name: v$i, kernel: kernel, memory: 26M}"; done; } >many
description 'too many VMs' 3 '^vm.yaml:2:3: vms: there are 9 VMs; describe 1 to 8' <many

description 'no such action' 3 "^vm.yaml:2:54: vms\[0\]\.on-reset: 'wait' is not possible; write restart or stop" <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, on-reset: wait}
E1
description 'no exit status' 3 "^vm.yaml:2:53: vms\[0\]\.success: '34' is no exit status; write an odd number" <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, success: 34}
E1
description 'all actions' 0 'good' <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, on-reset: stop, on-fault: restart, on-halt: wait, success: 255}
E1

# --- one wrong value in a good description: value NAME PATTERN KEY VALUE; the value is at line 2 plus the key's place
value()
{
    local name=a kernel=kernel initrd=initrd cmdline=quiet memory=64M vcpus=1
    local "$3=$4"
    description "$1" 3 "$2" <<E1
vms:
  - name: $name
    kernel: $kernel
    initrd: $initrd
    cmdline: $cmdline
    memory: $memory
    vcpus: $vcpus
E1
}
value 'no name' '^vm.yaml:2:11: vms\[0\]\.name: .* is no name' name '""'
value 'a space in a name' "^vm.yaml:2:11: vms\[0\]\.name: 'a b' is no name" name 'a b'
value 'a long name' '^vm.yaml:2:11: vms\[0\]\.name: .*has 32 characters; at most 31' name "$long_name"
value 'no such kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: nothing: No such file' kernel nothing
value 'a folder as kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: folder: Is a directory' kernel folder
value 'no kernel named' "^vm.yaml:3:13: vms\[0\]\.kernel: '': No such file" kernel '""'
value 'a device as kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: /dev/zero: Not a regular file' kernel /dev/zero
mkfifo fifo
value 'a FIFO as kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: fifo: Not a regular file; name an existing kernel' kernel fifo
value 'an empty kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: empty is empty' kernel empty
value 'noise as kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: noise: it is neither a Linux bzImage nor an ELF64' kernel noise
value 'a truncated kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: truncated: the file has 1536 bytes, its header speaks of 1552' kernel truncated
value 'a program as kernel' '^vm.yaml:3:13: vms\[0\]\.kernel: /bin/bash: the ELF file is not linked to a fixed address' kernel /bin/bash
value 'no package' "^vm.yaml:3:13: vms\[0\]\.kernel: '../x' is no name of a Debian package" kernel debian:../x
value 'an option as package' "^vm.yaml:3:13: vms\[0\]\.kernel: '--x' is no name of a Debian package" kernel debian:--x
value 'no such initrd' '^vm.yaml:4:13: vms\[0\]\.initrd: nothing: No such file' initrd nothing
value 'noise as initrd' '^vm.yaml:4:13: vms\[0\]\.initrd: noise has no cpio header' initrd noise
value 'a truncated initrd' '^vm.yaml:4:13: vms\[0\]\.initrd: truncated.gz is truncated' initrd truncated.gz
value 'an empty initrd' '^vm.yaml:4:13: vms\[0\]\.initrd: empty is empty' initrd empty
value 'a long command line' '^vm.yaml:5:14: vms\[0\]\.cmdline: it has 17 characters, the kernel takes 16' cmdline 12345678901234567
value 'two lines' '^vm.yaml:5:14: vms\[0\]\.cmdline: it has a control character \(10\) at position 2' cmdline '"a\nb"'
value 'no memory size' "^vm.yaml:6:13: vms\[0\]\.memory: 'much' is no size" memory much
value 'more memory than an address has bits for' "^vm.yaml:6:13: vms\[0\]\.memory: '.*' is no size" memory 18446744073709551615
value 'odd memory' '^vm.yaml:6:13: vms\[0\]\.memory: 65M is no multiple of 2M; use 66M' memory 65M
value 'too little memory' '^vm.yaml:6:13: vms\[0\]\.memory: 24M is too small .* use at least 28M' memory 24M
value 'too much memory' '^vm.yaml:6:13: vms\[0\]\.memory: with this VM, Lintel needs .* this machine has' memory 1000T
value 'as much memory as an address can have' '^vm.yaml:6:13: vms\[0\]\.memory: with this VM, Lintel needs 4294967' memory 4096T
value 'nine vCPUs' "^vm.yaml:7:12: vms\[0\]\.vcpus: '9' is not possible; write a number from 1 to 8" vcpus 9
value 'no vCPU' "^vm.yaml:7:12: vms\[0\]\.vcpus: '0' is not possible" vcpus 0
value 'half a vCPU' "^vm.yaml:7:12: vms\[0\]\.vcpus: '1.5' is not possible" vcpus 1.5

# promise NAME PATTERN KEYS: a VM with these keys beside one that is promised half of the CPU.
promise()
{
    description "$1" 3 "$2" <<E1
vms:
  - {name: a, kernel: kernel, memory: 26M, budget: 5ms}
  - {$3, name: b, kernel: kernel, memory: 26M}
E1
}
promise 'a budget without a unit' "^vm.yaml:3:14: vms\[1\]\.budget: '3' is no time from 250us to 100ms" 'budget: 3'
promise 'a budget of nothing' "^vm.yaml:3:14: vms\[1\]\.budget: '0ms' is no time" 'budget: 0ms'
promise 'a short budget' "^vm.yaml:3:14: vms\[1\]\.budget: '249us' is no time" 'budget: 249us'
promise 'a long period' "^vm.yaml:3:27: vms\[1\]\.period: '101ms' is no time" 'budget: 1ms, period: 101ms'
promise 'more than the period' "^vm.yaml:3:14: vms\[1\]\.budget: 3ms is more than the period of 2000us" 'budget: 3ms, period: 2ms'
promise 'a period alone' "^vm.yaml:3:14: vms\[1\]\.period: there is no budget" 'period: 2ms'
promise 'more than can be promised' "^vm.yaml:3:14: vms\[1\]\.budget: with this one 90.1 % of CPU 0 are promised" 'budget: 4010us'
description 'what is promised' 0 '^b: CPU 0: 2500us in each 5000us, 50.0 %' <<'E1'
vms:
  - {name: b, kernel: kernel, memory: 26M, budget: 2500us, period: 5ms}
E1

# homes NAME CODE PATTERN KEYS: a VM with these keys beside one that has CPU 0 alone, and one on CPU 2, of four.
homes()
{
    description "$1" "$2" "$3" <<E1
host: {cpus: 4}
vms:
  - {name: a, kernel: kernel, memory: 26M, cpus: [0], alone: yes}
  - {name: b, kernel: kernel, memory: 26M, cpus: [2], budget: 5ms}
  - {$4, name: c, kernel: kernel, memory: 26M}
E1
}
homes 'homes' 0 '^a: CPU 0: alone$' 'cpus: [3]'
homes 'a home by choice' 0 '^c: CPU 3: nothing is promised$' 'cpus: [3]'
homes 'by rule, where no VM is alone' 0 '^c: CPU 1: 1000us in each 2000us, 50.0 %$' 'budget: 1ms, period: 2ms'
homes 'the console beside it' 0 '^console: CPU 1: nothing is promised$' 'budget: 1ms, period: 2ms'
homes 'the console is not where a later VM is alone' 0 '^console: CPU 2: nothing is promised$' 'cpus: [1], alone: yes'
homes 'several vCPUs' 0 '^c: CPU 1, 4 vCPUs: nothing is promised$' 'vcpus: 4'
homes 'several vCPUs, alone' 0 '^c: CPU 3, 2 vCPUs: alone$' 'vcpus: 2, cpus: [3], alone: yes'
homes 'a promise for each vCPU' 0 '^c: CPU 1, 2 vCPUs: each 500us in each 2000us, 25.0 %$' 'vcpus: 2, budget: 500us, period: 2ms'
homes 'the sum of its vCPUs' 0 '^CPU 1: 50.0 % is promised' 'vcpus: 2, budget: 500us, period: 2ms'
homes 'more than a CPU has, by two vCPUs' 3 "^vm.yaml:5:24: vms\\[2\\]\\.budget: with this one 100.0 % of CPU 1" 'vcpus: 2, budget: 5ms'
homes 'the sum of a CPU' 0 '^CPU 2: 90.0 % is promised, of 90 %$' 'cpus: [2], budget: 4ms'
homes 'more than a CPU has' 3 "^vm.yaml:5:25: vms\[2\]\.budget: with this one 90.1 % of CPU 2 are promised" 'cpus: [2], budget: 4010us'
homes 'a CPU that another VM has alone' 3 "^vm.yaml:5:13: vms\[2\]\.cpus\[0\]: vms\[0\] is on CPU 0, and one of them wants it alone" 'cpus: [0]'
homes 'alone where another VM is' 3 "^vm.yaml:5:13: vms\[2\]\.cpus\[0\]: vms\[1\] is on CPU 2, and one of them wants it alone" 'cpus: [2], alone: yes'
homes 'vCPUs on several CPUs' 0 '^c: CPU 1, CPU 3, 4 vCPUs: nothing is promised$' 'vcpus: 4, cpus: [1, 3]'
homes 'vCPUs on several CPUs, alone' 0 '^c: CPU 1, CPU 3, 3 vCPUs: alone$' 'vcpus: 3, cpus: [1, 3], alone: yes'
homes 'a promise on each of its CPUs' 0 '^CPU 3: 25.0 % is promised' 'vcpus: 2, cpus: [1, 3], budget: 500us, period: 2ms'
homes 'one of its CPUs, that another VM has alone' 3 "^vm.yaml:5:[0-9]+: vms\[2\]\.cpus\[1\]: vms\[0\] is on CPU 0" 'vcpus: 2, cpus: [1, 0]'
homes 'alone twice' 3 "^vm.yaml:5:13: vms\[2\]\.cpus\[0\]: vms\[0\] is on CPU 0" 'cpus: [0], alone: yes'
homes 'alone nowhere' 3 "^vm.yaml:5:13: vms\[2\]\.alone: the CPUs that it has alone are missing" 'alone: yes'
homes 'alone with a budget' 3 "^vm.yaml:5:37: vms\[2\]\.budget: it has its CPUs alone" 'cpus: [1], alone: yes, budget: 1ms'
homes 'alone with a period' 3 "^vm.yaml:5:37: vms\[2\]\.period: it has its CPUs alone; remove the period" 'cpus: [1], alone: yes, period: 5ms'
homes 'alone with a budget for each vCPU' 3 "^vm.yaml:5:47: vms\[2\]\.budget: it has its CPUs alone" 'vcpus: 8, cpus: [1], alone: yes, budget: 2ms'
"$lintel" check vm.yaml >said 2>&1
[ "$(grep -c ^ said)" = 1 ]
result $? 'check: and nothing else is said of it'
homes 'more than a CPU has, by eight vCPUs' 3 "^vm.yaml:5:24: vms\[2\]\.budget: with this one 160.0 % of CPU 1" 'vcpus: 8, budget: 2ms'
"$lintel" check vm.yaml >said 2>&1
[ "$(grep -c ^ said)" = 1 ]
result $? 'check: once, whatever vCPUs there are'
homes 'alone, perhaps' 3 "^vm.yaml:5:24: vms\[2\]\.alone: 'maybe' is not possible; write yes or no" 'cpus: [1], alone: maybe'
homes 'a CPU that is not there' 3 "^vm.yaml:5:13: vms\[2\]\.cpus\[0\]: '4' is no CPU of the machine \(host.cpus\); write a number from 0 to 3, or raise that$" 'cpus: [4]'
homes 'no number of a CPU' 3 "^vm.yaml:5:13: vms\[2\]\.cpus\[0\]: '-1' is no CPU" 'cpus: [-1]'
homes 'no list of CPUs' 3 "^vm.yaml:5:12: vms\[2\]\.cpus: a list must be here" 'cpus: 1'
homes 'more CPUs than vCPUs' 3 "^vm.yaml:5:16: vms\[2\]\.cpus\[1\]: the VM has 1 vCPU, and so many CPUs at most" 'cpus: [1, 3]'
homes 'a snapshot' 0 ': good: 3 VMs' 'snapshot: yes'
homes 'a snapshot, perhaps' 3 "^vm.yaml:5:16: vms\[2\]\.snapshot: 'maybe' is not possible; write yes or no" 'snapshot: maybe'
homes 'a snapshot of two vCPUs' 3 "^vm.yaml:5:16: vms\[2\]\.snapshot: it is of one vCPU; remove this, or 'vcpus'" 'snapshot: yes, vcpus: 2'
homes 'a snapshot beside a disk' 3 "^vm.yaml:5:16: vms\[2\]\.snapshot: a disk or a network does not go back with it" 'snapshot: yes, disk: {file: kernel}'
homes 'a snapshot beside a network' 3 "^vm.yaml:5:16: vms\[2\]\.snapshot: a disk or a network does not go back with it" 'snapshot: yes, net: user'
homes 'a snapshot that nobody may take' 3 "^vm.yaml:5:16: vms\[2\]\.snapshot: nobody may take one, by 'control: no'" 'snapshot: yes, control: no'
description 'a snapshot of too much' 3 "^vm.yaml:3:56: vms\[0\]\.snapshot: it is of 3072 MiB at most; remove this, or lower 'memory'" <<'E1'
host: {memory: 16G}
vms:
  - {name: a, kernel: kernel, memory: 3074M, snapshot: yes}
E1
description 'no memory for a snapshot' 3 "^vm.yaml:3:39: vms\[0\].memory: with this VM, Lintel needs " <<'E1'
host: {memory: 256M}
vms:
  - {name: a, kernel: kernel, memory: 100M, snapshot: yes}
E1
description 'a CPU that no machine has' 3 "^vm.yaml:2:51: vms\[0\]\.cpus\[0\]: '256' is no CPU; write a number from 0 to 255$" <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, cpus: [256]}
E1
description 'a machine without CPUs' 3 "^vm.yaml:1:14: host\.cpus: '0' is no number of CPUs; write one from 1 to 256" <<'E1'
host: {cpus: 0}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
description 'no CPU for the console' 3 "^vm.yaml:1:14: host\.cpus: VMs have all CPUs of the machine alone" <<'E1'
host: {cpus: 1}
vms:
  - {name: a, kernel: kernel, memory: 26M, cpus: [0], alone: yes}
E1
description 'as many CPUs as it needs' 0 ' MiB and 6 CPUs for the machine$' <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, cpus: [5]}
E1
expect 'image --control: a VM on another CPU' 3 "^vm.yaml:2:50: vms\[0\]\.cpus: it is on CPU 5, and who controls VMs reaches those on CPU 0" \
    "$lintel" image --control vm.yaml -o a.iso
description 'more CPUs than Bochs has' 0 ' MiB and 16 CPUs for the machine$' <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M, cpus: [15]}
E1
expect 'run: more CPUs than Bochs has' 3 '^lintel: the machine needs 16 CPUs, and bochs emulates 15 at most' "$lintel" run --on bochs vm.yaml

description 'a name twice' 3 "^vm.yaml:3:12: vms\[1\]\.name: vms\[0\] is named 'a' already" <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M}
  - {name: a, kernel: kernel, memory: 26M}
E1
description 'more memory than the described machine has' 3 '^vm.yaml:4:39: vms\[1\]\.memory: with this VM.*host.memory\) has 512 MiB' <<'E1'
host: {memory: 512M}
vms:
  - {name: a, kernel: kernel, memory: 256M}
  - {name: b, kernel: kernel, memory: 256M}
E1
description 'an unknown control' 3 "^vm.yaml:1:15: host\.hide\[0\]: 'epd' is no VMX control" <<'E1'
host: {hide: [epd]}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
description 'a control without a name' 3 "^vm.yaml:1:15: host\.hide\[0\]: '' is no VMX control" <<'E1'
host: {hide: [""]}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
description 'no way to switch MSRs' 3 \
    "^vm.yaml:1:20: host\.msr-switch: 'never' is no way to switch MSRs; write one of: none-needed list lazy eager area$" <<'E1'
host: {msr-switch: never}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
description 'a bad machine size' 3 "^vm.yaml:1:16: host\.memory: 'big' is no size" <<'E1'
host: {memory: big}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
description 'a bad CPU model' 3 "^vm.yaml:1:13: host\.cpu: 'a b' is no CPU model" <<'E1'
host: {cpu: 'a b'}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
mkdir old
printf '#!/bin/sh\necho; echo corei7_skylake_x; echo "  Bochs x86 Emulator 2.7"\n' >old/bochs
sed 's/ 2\.7/ 3.0/' old/bochs >new
chmod +x old/bochs new
PATH=$work/old:$PATH description 'a feature that this Bochs does not add' 3 \
    "^vm.yaml:1:13: host\.cpu: this Bochs adds no features to a CPU model; write 'corei7_skylake_x' alone" <<'E1'
host: {cpu: corei7_skylake_x+msrlist}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
printf 'vms:\n  - {name: a, kernel: kernel, memory: 26M}\n' >least.yaml
PATH=$work/old:$PATH expect 'run with a feature that this Bochs does not add' 2 "this Bochs adds no features to a CPU model; write 'corei7_skylake_x' alone" \
    "$lintel" run least.yaml --on bochs --cpu corei7_skylake_x+msrlist
mv new old/bochs
PATH=$work/old:$PATH expect 'check: a feature that Bochs adds' 0 '^vm.yaml: good' "$lintel" check vm.yaml
description 'a CPU model that Bochs lacks' 3 "^vm.yaml:1:13: host\.cpu: Bochs has no CPU model 'corei7'" <<'E1'
host: {cpu: corei7}
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
cat >vm.yaml <<'E1'
vms:
  - {name: a b, kernel: nothing, memory: 1M}
E1
"$lintel" check vm.yaml >said 2>&1
[ "$(grep -c '^vm.yaml:2:' said)" = 3 ]
result $? 'check: all errors are told at once'
cat >vm.yaml <<'E1'
host: {cpux: corei7, hide: [ept, vpid]}
vms:
  - {name: a b, kernel: kernel, memory: 2M, cmdline: 12345678901234567}
  - {nam: c, kernel: noise, memory: 26M, console: vga}
E1
"$lintel" check vm.yaml >said 2>&1
[ "$(cut -d: -f2- said | cut -c -26)" = "1:8: host: unknown key 'cp
4:6: vms[1]: unknown key '
4:5: vms[1]: the key 'name
1:29: host.hide[0]: Lintel
3:12: vms[0].name: 'a b' i
3:54: vms[0].cmdline: it h
3:41: vms[0].memory: 2M is
4:22: vms[1].kernel: noise
4:51: vms[1].console: 'vga" ]
result $? 'check: errors of all kinds are told at once'
printf 'vms: [{name: a, kernel: kernel, memory: 26M}]\n' >piped.yaml
expect 'check: the standard input' 0 '^-: good: 1 VM' sh -c "'$lintel' check - <piped.yaml"
expect 'check: errors of the standard input' 3 '^-:1:1: ' sh -c "echo a: | '$lintel' check -"

# What a loader would refuse at boot: the kernel with one thing changed, which is told.
# kernel NAME PATTERN OFFSET BYTES
refused()
{
    make_kernel changed
    put changed "$3" "$4"
    description "a kernel with $1" 3 "^vm.yaml:2:23: vms\[0\]\.kernel: changed: .*$2" <<E1
vms:
  - {name: a, kernel: changed, memory: 26M, initrd: initrd}
E1
}
refused 'no paragraph' 'its header speaks of' $((0x1f4)) '\000'
refused 'no alignment' 'its setup header is damaged \(alignment 0\)' $((0x232)) '\000'
refused 'an odd alignment' 'its setup header is damaged' $((0x230)) '\003'
refused 'a header that ends early' 'neither a Linux bzImage' $((0x201)) '\000'
refused 'an address above 3 GiB' 'a kernel can have it from' $((0x25b)) '\377'
make_kernel changed
put changed $((0x22c)) '\000\000\000\000'
description 'a kernel that wants its initrd below it' 3 '^vm.yaml:2:53: vms\[0\]\.initrd: the initrd.s [0-9]* bytes do not fit' <<'E1'
vms:
  - {name: a, kernel: changed, memory: 26M, initrd: initrd}
E1

# --- the command line
expect 'no command' 2 '^Usage: lintel COMMAND' "$lintel"
expect 'no such command' 2 'no such command: boot; see lintel --help' "$lintel" boot
expect 'help' 0 '^Usage: lintel COMMAND' "$lintel" help
expect '--help' 0 '^Usage: lintel COMMAND' "$lintel" --help
"$lintel" help | sed -n '/^Commands:/,/^$/p' | grep '^  ' >said
[ "$(grep -c . said)" -gt 10 ] && ! grep -vqE '^  [a-z ]{8} [^ ]' said
result $? 'help: what the commands do stands in one column'
(cd "$work" && env -i PATH="$PATH" "$lintel" help) >said
manual=$(sed -n 's/^More: man -l //p' said)
[ -f "$manual" ] && cmp -s "$manual" "$root/docs/lintel.1"
result $? 'the help names the manual where it is'
expect '--version' 0 '^lintel [0-9]' "$lintel" --version
expect 'help of no command' 2 'no such command: boot' "$lintel" help boot
# manual COMMAND: what the man page says of it under its own heading, or under the one that it shares.
manual()
{
    sed -n '/^\.Sh DESCRIPTION/,/^\.Sh CONSOLE/p' "$root/docs/lintel.1" | sed 's/\\-/-/g' |
        awk -v command="$1" '/^\.Bl/ { depth++ } /^\.El/ { depth-- }
            depth == 1 && /^\.It/ { on = 0; for (i = 3; i <= NF && $i != "Op" && $i != "Fl"; i++) on = on || $i == command } on'
}
for command in $("$lintel" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    expect "help $command" 0 "^Usage: lintel $command" "$lintel" help "$command"
    expect "$command --help" 0 "^Usage: lintel $command" "$lintel" "$command" --help
    manual "$command" >said
    [ -s said ]
    result $? "the man page has $command"
    for option in $("$lintel" "$command" --help | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE '[a-z-]+$' | grep -v help); do
        grep -qE -- "^\.(It )?Fl (.* )?${option#-}( |\$)" said
        result $? "the man page has $command $option"
    done
done
manual bench >said
for name in $("$lintel" bench --help | sed -n '1s/^[^[]*\[\([a-z|-]*\).*/\1/p' | tr '|' ' '); do
    grep -qE "^\.Cm (.* )?$name( |\$)" said
    result $? "the man page has bench $name"
done
expect 'check without a file' 2 'give one VM description; see lintel check --help' "$lintel" check
expect 'check of no file' 3 '^lintel: nothing.yaml: No such file' "$lintel" check nothing.yaml
expect 'check of a folder' 3 '^lintel: folder: ' "$lintel" check folder
expect 'check with an option' 2 "'--fast' is no option" "$lintel" check --fast
expect 'image without -o' 2 "give the image's name with -o" "$lintel" image vm.yaml
expect 'image with a bad end' 2 '--end takes halt, bochs or qemu' "$lintel" image vm.yaml -o x --end stop
expect 'image with bad options' 2 'takes words of' "$lintel" image vm.yaml -o x --hypervisor-options 'a;b'
expect 'image of a bad description' 3 '^vm.yaml:2:' "$lintel" image vm.yaml -o x
[ ! -e x ]
result $? 'a bad description leaves no image'
expect 'run of a bad description' 3 '^vm.yaml:2:' "$lintel" run vm.yaml --on bochs
expect 'run on no runner' 2 "--on takes bochs or qemu-kvm, not 'xen'" "$lintel" run --on xen
expect 'run with bad ips' 2 "--ips takes a number from 1000000 to 1000000000, not 'fast'" "$lintel" run --ips fast
expect 'run with bad firmware' 2 '--firmware takes bios, ovmf or seabios' "$lintel" run --firmware coreboot
expect 'run with an unknown option' 2 "'--fast' is no option" "$lintel" run --fast
expect 'run with a missing argument' 2 "'--cpu' is no option, or lacks its argument" "$lintel" run --cpu
expect 'run of two files' 2 'give at most one VM description' "$lintel" run a b
expect 'caps with an argument' 2 'no argument is taken' "$lintel" caps now
expect 'test with an option' 2 "'-x' is no option" "$lintel" test -x
expect 'bench with three arguments' 2 'at most one benchmark' "$lintel" bench msr exits idle
cat >vm.yaml <<'E1'
vms:
  - {name: a, kernel: kernel, memory: 26M}
E1
expect 'no hypervisor' 4 'nothing: No such file.*set LINTEL_HYPERVISOR' env LINTEL_HYPERVISOR=nothing "$lintel" image vm.yaml -o x
expect 'a full disk for the output' 4 'the output cannot be written: No space left' sh -c "'$lintel' check vm.yaml >/dev/full"
expect 'image in no folder' 4 'no/x: No such file or directory; name a file that can be written' "$lintel" image vm.yaml -o no/x
expect 'image onto a folder' 4 'folder: Is a directory; name a file' "$lintel" image vm.yaml -o folder
expect 'image into a FIFO' 4 'fifo: Illegal seek; name a file that can be written' "$lintel" image vm.yaml -o fifo
(sleep 0.3; "$lintel" help; echo "code $?" >said) 2>/dev/null | :
grep -qx 'code 141' said
result $? 'nobody who reads the output is no error to tell'
expect 'image without a name' 4 "'': No such file or directory; name a file" "$lintel" image vm.yaml -o ''
expect 'run with a CPU model that Bochs lacks' 2 "Bochs has no CPU model 'corei7'" "$lintel" run vm.yaml --on bochs --cpu corei7
mkdir programs
expect 'no grub-mkrescue' 4 'grub-mkrescue is missing, which writes the image; install the package' \
    env PATH="$work/programs" "$lintel" image vm.yaml -o x
expect 'no bochs' 4 'bochs is missing; install the package bochs' env PATH="$work/programs" "$lintel" run vm.yaml --on bochs
printf 'vms:\n  - {name: a, kernel: "debian:linux-image-x", memory: 26M}\n' >package.yaml
expect 'no apt' 4 'this machine has no apt; give the path of a kernel' \
    env PATH="$work/programs" "$lintel" check package.yaml
# A stand-in for apt-get, which fetches a package without a kernel.
mkdir -p root/bin apt/DEBIAN
printf 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: a\n' >apt/DEBIAN/control
dpkg-deb -b apt a.deb >/dev/null
printf '#!/bin/sh\n[ "$3" = APT::Sandbox::User=root ] && exec cp %s .\n' "'$work/a.deb'" >root/bin/apt-get
printf '#!/bin/sh\n' >root/bin/apt-cache
chmod +x root/bin/apt-*
expect 'a package without a kernel' 3 '^lintel: the Debian package linux-image-x holds no kernel' \
    env PATH="$work/root/bin:$PATH" "$lintel" check package.yaml
# Where what is fetched is kept: in the user's home, which the environment need not name.
expect 'a home that is no folder' 4 '^lintel: /dev/null/.cache/lintel: Not a directory; set XDG_CACHE_HOME to a folder that can be written$' \
    env -u XDG_CACHE_HOME HOME=/dev/null PATH="$work/root/bin:$PATH" "$lintel" check package.yaml
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups) # whose home is nowhere, and who may not reach this program
if [ "$(id -u)" = 0 ] && "${nobody[@]}" test -x "$lintel"; then
    chmod 755 "$work"
    expect 'no home' 4 '^lintel: /nonexistent/.cache/lintel: .*; set XDG_CACHE_HOME to a folder that can be written$' \
        "${nobody[@]}" env -u HOME -u XDG_CACHE_HOME PATH="$work/root/bin:$PATH" "$lintel" check package.yaml
fi

# --- the image, where GRUB is installed
cp kernel 'odd=name "k" \'
printf 'host: {msr-switch: area}\nvms:\n  - {name: a, kernel: %s, memory: 26M, cmdline: quiet}\n' "'odd=name \"k\" \\'" >odd.yaml
export LINTEL_HYPERVISOR=$work/kernel LINTEL_MONITOR=$work/hello
expect 'image' 0 '^$|^lintel: writing the image$' "$lintel" image odd.yaml -o x.iso --hypervisor-options 'hide=vpid'
xorriso -osirrox on -indev x.iso -extract /boot boot >/dev/null 2>&1
cmp -s boot/file-0 kernel && cmp -s boot/monitor hello && [ "$(head -c 8 boot/plan)" = LNTLPLAN ]
result $? 'the image holds the files'
cat boot/grub/grub.cfg >said
grep -q '^  multiboot2 /boot/lintel-hypervisor end=halt msr-switch=area hide=vpid$' said &&
    grep -q '^  module2 /boot/plan plan$' said && grep -q '^  module2 /boot/monitor monitor$' said &&
    grep -q '^  module2 /boot/file-0 odd_name__k___$' said
result $? 'the menu loads them in order'
xorriso -indev x.iso -report_el_torito plain >said 2>&1
grep -q 'BIOS' said && grep -q 'UEFI' said
result $? 'the image boots by BIOS and UEFI'

# --- what was installed into a folder that is not the root works as it is
unset LINTEL_HYPERVISOR LINTEL_MONITOR
meson install -C "$(dirname "$(dirname "$lintel")")" --no-rebuild --destdir "$work/unpacked" >said 2>&1
result $? 'the build is installed into a folder'
installed=$(find unpacked -path '*/bin/lintel')
expect 'an unpacked tree works in place' 0 '^$|^lintel: writing the image$' "$installed" image odd.yaml -o unpacked.iso
rm -rf boot
xorriso -osirrox on -indev unpacked.iso -extract /boot boot >said 2>&1
cmp boot/lintel-hypervisor unpacked/*/*/share/lintel/lintel-hypervisor >said 2>&1
result $? 'with its own files'
cmp "$root/docs/lintel.schema.json" unpacked/*/*/share/lintel/lintel.schema.json >said 2>&1
result $? 'and the schema of its JSON'

# --- the documents and the completion
mandoc -T lint -W warning "$root/docs/lintel.1" >said 2>&1
result $? 'the man page is well-formed'
# complete WORD...: what the completion offers for the last of these words.
complete_words()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _lintel "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[*]}"
}
. "$root/tool/completion.bash" 2>said
result $? 'the completion loads'
complete_words "$lintel" ch >said
grep -qx check said
result $? 'the completion knows commands'
complete_words "$lintel" run --t >said
grep -qx -- '--time --timeout' said
result $? 'the completion knows options'
complete_words "$lintel" run --on b >said
grep -qx bochs said
result $? 'the completion knows runners'
complete_words "$lintel" image -- >said
grep -q -- '--output' said && grep -q -- '--end' said
result $? 'the completion knows options with short forms'
mkdir tree
touch tree/meson.build
printf '#!/bin/sh\ntouch started\n' >tree/lintel
chmod +x tree/lintel
complete_words tree/lintel ch >said
[ ! -e started ]
result $? 'the completion does not start the launcher'
mkdir -p tree/build/tool
ln -s "$lintel" tree/build/tool/lintel
complete_words tree/lintel ch >said
grep -qx check said
result $? 'the completion asks the tool that was built'
complete_words "$lintel" check v >said
grep -qx vm.yaml said
result $? 'the completion finds descriptions'
complete_words "$lintel" check fol >said
grep -qx folder said
result $? 'the completion finds folders'
complete_words "$lintel" bench linux >said
grep -qx linux-boot said
result $? 'the completion knows benchmarks'
complete_words "$lintel" run --cpu corei7_sky >said
grep -qx corei7_skylake_x said
result $? 'the completion knows CPU models'
complete_words "$lintel" bench exits corei7_sky >said
grep -qx corei7_skylake_x said
result $? "the completion knows a benchmark's CPU models"
for verb in $("$lintel" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    "$lintel" "$verb" --help | grep -q "^Usage: lintel $verb .*LINE" && echo "$verb" && complete_words "$lintel" "$verb" kern
done >said
[ "$(grep -c '^kernel$' said)" -ge 10 ] && [ "$(grep -c '^kernel$' said)" = "$(grep -cv '^kernel$' said)" ]
result $? 'the completion knows all commands that take a socket'
complete_words "$lintel" po >said && complete_words "$lintel" top --i >>said && complete_words "$lintel" top --interval '' >>said
printf 'poweroff\n--interval\n\n' | cmp -s - said
result $? 'and their names, options and numbers'
complete_words "$lintel" run --control kern >said && complete_words "$lintel" image --control kern >>said
printf 'kernel\n\n' | cmp -s - said
result $? "the completion knows that run's --control names a file, and image's does not"
mkdir quoted
touch 'quoted/two words.yaml'
# What a user gets: a shell that edits its line, and is given a tab.
printf '. "%s"\nlintel() { printf "<%%s>\\n" "$@"; }\nlintel check quoted/tw\t\nexit\n' "$root/tool/completion.bash" >typed
INPUTRC=/dev/null bash --norc --noprofile -i <typed >said 2>&1
grep -qx '<quoted/two words.yaml>' said
result $? 'the completion quotes names'

echo "1..$count"
