#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# hostile.sh LINTEL CPU VICTIM HOSTILE TABLE [OPTION]: a victim beside each hostile guest of the table guests/hostile.def, on one CPU:
# its work is counted, and keeps its share in each window of 100 ms (docs/bounds.md). OPTION is a word for the hypervisor.
lintel=$1 cpu=$2 victim=$(realpath "$3") hostile=$(realpath "$4") table=$(realpath "$5") option=${6:-}
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/common.bash"
# shellcheck source=tests/bochs/hostile.bash
. "$here/hostile.bash"

# beside NAME [CMDLINE]: writes vm.yaml with the victim and this hostile guest.
beside()
{
    local console=serial
    [[ $1 == virtio_* ]] && console=virtio
    cat >vm.yaml <<END
host:
  memory: 256M
vms:
  - {name: victim, kernel: $victim, memory: 16M, cmdline: "${2:-}"}
  - {name: hostile, kernel: $hostile, memory: 16M, cmdline: $1, console: $console}
END
}

# keeps_share NAME: the victim's verdict on its run beside a hostile guest, which goes on all the while.
keeps_share()
{
    run lines
    grep '^# ' said
    passes && ! grep -q '^lintel: vm hostile: \(powered\|stopped\)' whole
    result $? "$1"
}

read_rows HOSTILE
for row in "${rows[@]}"; do
    beside "$row"
    keeps_share "beside $row"
done
# What a CPU does badly; with much memory, which may be executed.
read_rows HOSTILE_FLAWS
for row in "${rows[@]}"; do
    beside "$row"
    sed -i '/memory: 256M/s/256/768/; /name: hostile/s/16M/512M/' vm.yaml
    keeps_share "beside $row"
done
# With eight vCPUs.
read_rows HOSTILE_CPUS
for row in "${rows[@]}"; do
    beside "$row"
    sed -i '/name: hostile/s/}$/, vcpus: 8}/' vm.yaml
    keeps_share "beside $row"
done
# The same on two CPUs: what comes to one from the other is no more the victim's time than what comes from where it is itself.
for row in "${rows[@]}"; do
    beside "$row"
    sed -i '/name: victim/s/}$/, cpus: [1]}/; /name: hostile/s/}$/, vcpus: 8, cpus: [0, 1]}/' vm.yaml
    keeps_share "beside $row, on two CPUs"
done
# Of a victim with four vCPUs the first one works: it has the share of all.
beside spin
sed -i '/name: victim/s/}$/, vcpus: 4}/' vm.yaml
run lines
grep '^# ' said
passes
result $? "one vCPU of four that works alone has its VM's share"
beside console
run focus
passes
result $? "beside console, which is not shown"
beside timer_masked input
echo anything >typed
run focus
passes
result $? "typed input is answered beside a timer that is always due"
# Three that compute beside one that is promised 7 ms of each 10.
: >typed
{
    printf 'host: {memory: 256M}\nvms:\n'
    echo "  - {name: victim, kernel: $victim, memory: 16M, cmdline: \"690\", budget: 7ms, period: 10ms}"
    printf '  - {name: %s, kernel: %s, memory: 16M, cmdline: spin}\n' a "$hostile" b "$hostile" c "$hostile"
} >vm.yaml
run lines
grep '^# ' said
passes
result $? "a budget is kept beside three that compute"
# One that is promised 8 ms of each 10 beside one with a budget, which comes first whenever it wakes.
for row in wake_often timer_wakes wake_and_work; do
    beside $row 790
    sed -i '/name: victim/s/}$/, budget: 8ms}/; /name: hostile/s/}$/, budget: 1ms}/' vm.yaml
    run lines
    grep '^# ' said
    passes
    result $? "a budget is kept beside one that interrupts: $row"
done
plan
