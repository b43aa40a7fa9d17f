#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest.sh LINTEL KERNEL CPU [bare] [OPTION...]: a test kernel under Lintel; its verdict is this test's.
# With `vcpus` in the environment the VM has so many; with `homes`, a list of CPUs, they are on these.
# With `bare` the same kernel also runs on the bare machine, and every test that both can do must come out the same.
lintel=$1 kernel=$(realpath "$2") cpu=$3
shift 3
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

SECONDS_MAX=90

# The lines of a kernel's verdict in `said`.
verdict()
{
    grep -aE '^(ok|not ok) [0-9]+ - |^1\.\.[0-9]+$|^# |^Bail out!|^[A-Za-z0-9_ ]+,[a-z0-9]+$' said
}

# A verdict without numbers and without what was skipped, sorted.
comparable()
{
    grep -E '^(ok|not ok) ' "$1" | grep -v ' # SKIP' | sed -E 's/ [0-9]+ - / /' | sort
}

run_bare()
{
    mkdir -p tree/boot/grub
    cp "$kernel" tree/boot/kernel
    printf 'set timeout=0\nmenuentry bare {\n  multiboot2 /boot/kernel\n}\n' >tree/boot/grub/grub.cfg
    make_image tree bare.iso
    boot_image bare.iso "$cpu" 256 $SECONDS_MAX
    verdict >bare
}

bare=false
if [ "${1:-}" = bare ]; then
    bare=true
    shift
fi
describe "$kernel" 64M 256M "${vcpus:+vcpus: $vcpus}"
[ -z "${homes:-}" ] || echo "    cpus: [$homes]" >>vm.yaml
[[ ${homes:-} != *,* ]] || echo '    cmdline: apart' >>vm.yaml
boot $SECONDS_MAX --cpu "$cpu" "$@"
code=$?
verdict | tee under | grep -vE '^1\.\.|^Bail out!' | sed -E '/^(ok|not ok|#)/!s/^/# /'
count=$(grep -cE '^(ok|not ok) ' under)
cp said under.said
grep -qx "1\.\.$count" under && [ $code = 0 ]
result $? "the kernel ends with its plan, and the VM by power-off"
if $bare; then
    run_bare
    tests=$(grep -cE '^(ok|not ok) ' bare)
    grep -qx "1\.\.$tests" bare
    result $? "the kernel ends with its plan on the bare machine"
    comparable under >a
    comparable bare >b
    # What only Lintel promises is not in the bare verdict; what only the bare machine can do is skipped here.
    grep ' # SKIP' under | sed -E 's/^ok [0-9]+ - (.*) # SKIP.*/ok \1/' | sort >skipped
    comm -13 a b | comm -23 - skipped >only-bare
    sed 's/^/the bare machine: /' only-bare >said
    [ -s b ] && ! [ -s only-bare ]
    result $? "the bare machine says the same"
fi
plan
