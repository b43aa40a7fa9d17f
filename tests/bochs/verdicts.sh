#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verdicts.sh LINTEL FOLDER CPU: what a kernel's tester asks of a run. The kernels in FOLDER exit with a status, panic, reset, fault
# and spin; the run's exit code, its results and its last lines say so.
lintel=$1 folder=$(realpath "$2") cpu=$3
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"

# expect NAME CODE SECONDS [OPTION...]: runs vm.yaml.
expect()
{
    local name=$1 code=$2 seconds=$3
    shift 3
    boot "$seconds" --cpu "$cpu" "$@"
    local got=$?
    echo "exit code $got, expected $code" >>said
    [ $got = "$code" ]
    result $? "$name: exit code"
}

describe "$folder/debug_exit.elf" 64M
expect 'an exit status' 33 60 --json json --junit junit --log logs --keep kept
says '^lintel: vm test: powered off: exit status 33$' 'the log has it'
says '^lintel: vm test ended with exit status 33$' 'the tool says it'
cp said whole
cp json said
says '"name": "test", "end": "exit", "good": false, "status": 33, ' 'so does the JSON'
cp junit said
says '<failure type="exit" message="exit status 33"/>' 'and the JUnit'
cp logs/test.log said
says '^# about to exit$' "the VM's console is in its file"
! grep -q '^lintel: ' said
result $? "and the hypervisor's lines are not"
cp kept/console.log said
grep -q '^lintel: vm test: powered off' said && grep -q '^# about to exit$' said
result $? 'the kept folder has both'
describe "$folder/debug_exit.elf" 64M 256M 'success: 33'
expect 'a status that is the success, and words that leave mitigations out' 0 60 \
    --hypervisor-options 'mitigations=-ibpb mitigations=-verw mitigations=-l1d mitigations=-bhb mitigations=-itlb mitigations=-tsx'
expect 'a word that is no option of the hypervisor' 1 60 --hypervisor-options mitigations=-none
says "^lintel: stopped: the hypervisor's command line: 'mitigations=-none' is not an option that it knows; see lintel\(1\), HYPERVISOR OPTIONS$" 'the word is told'

describe "$folder/pvpanic.elf" 64M
expect 'a panic' 1 60
says '^ok 2 - a kernel goes on' 'not when another kernel saves its memory'
says '^lintel: vm test: stopped for a fault: the guest.s kernel says that it panicked' 'the panic is told'

describe "$folder/reset.elf" 64M 256M 'on-reset: stop'
expect 'a reset that stops' 0 60
says '^lintel: vm test: powered off: the guest reset itself$' 'the reset is told'

describe "$folder/halt.elf" 64M 256M 'on-halt: stop'
expect 'a halt that stops' 0 60
says '^lintel: vm test: powered off: the guest halts for ever, at rip [0-9a-f]+$' 'the halt is told'
describe "$folder/halt.elf" 64M 256M $'on-halt: stop\n    vcpus: 2'
expect 'a halt of the one vCPU that no INIT has taken off' 0 60
says '^lintel: vm test: powered off: the guest halts for ever, at rip [0-9a-f]+$' 'it is told as well'
describe "$folder/bad_mmio.elf" 64M 256M 'on-fault: restart'
boot_until 2 'vm test: restart: the guest reached device memory' 60 --cpu "$cpu"
result $? 'a fault that restarts: the restarts are told'

# What comes to no end, at the limit: three VMs that spin, of which one has no console and one has three vCPUs, and one that waits for
# ever, and whose second vCPU was never started.
cat >vm.yaml <<END
host: {memory: 512M}
vms:
  - {name: test, kernel: $folder/lost.elf, memory: 64M}
  - {name: silent, kernel: $folder/lost.elf, memory: 64M, console: none}
  - {name: halts, kernel: $folder/halt.elf, memory: 64M, vcpus: 2}
  - {name: three, kernel: $folder/spin.elf, memory: 8M, vcpus: 3}
END
expect 'four that do not end' 5 15 --json json
says '^lintel: vm halts: the guest halts for ever, with interrupts off, at rip [0-9a-f]+$' 'a halt that waits is told'
says '^lintel: vm halts: rip [0-9a-f]{16} is halt_here\+0x[0-9a-f]+ in .*/halt.elf$' 'and where it is'
says '^lintel: vm test: vcpu 0: rip 0008:[0-9a-f]{16} rflags [0-9a-f]+$' 'the registers are told'
says '^lintel: vm silent: rax 1234567890abcdef ' 'of the VM without a console as well'
says '^lintel: vm test: rip [0-9a-f]{16} is lost_here\+0x[0-9a-f]+ in .*/lost.elf$' 'and the place has its name'
says '^lintel: vm halts: vcpu 1: off: it waits for a SIPI$' 'of a vCPU that was not started that is told'
for vcpu in 0 1 2; do
    says "^lintel: vm three: vcpu $vcpu: rip 0008:[0-9a-f]{16} rflags [0-9a-f]+$" "the registers of each vCPU are told: vCPU $vcpu"
done
[ "$(grep -cE '^lintel: vm three: rip [0-9a-f]{16} is spin\+0x[0-9a-f]+ in .*/spin.elf$' said)" = 3 ]
result $? 'and the places have their names'
says 'the run was ended after 15 s' 'then the run ends'
python3 "$(realpath "$here/../native/tool/schema.py")" run json >said 2>&1
result $? 'the JSON is as the schema has it'
cp json said
says '"name": "silent", "end": "running", "good": false, "rip": ' 'the JSON has the place'
says '"name": "three", .* "vcpus": \[\{"vcpu": 0, "rip": .*\{"vcpu": 1, "rip": .*\{"vcpu": 2, "rip": ' 'of each vCPU'
plan
