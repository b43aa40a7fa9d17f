#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# gdb.sh BUILD CPU: gdb goes through steps.gdb with guests/debugged.c, on two CPUs: by lintel gdb, as a VM in Bochs, and by QEMU's stub, on
# QEMU's own processor. It shows the same, but for what steps.txt explains.
build=$(realpath "$1") cpu=$2 lintel=$build/tool/lintel kernel=$build/guests/debugged.elf
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bochs/common.bash
. "$here/../bochs/common.bash"
# shellcheck source=tests/qemu/common.bash
. "$here/common.bash"

SECONDS_MAX=150

# debug SOCKET BREAK: gdb stops at guest_main by this command, and goes through the steps.
debug()
{
    printf 'set pagination off\nset confirm off\nset width 0\nset remotetimeout 30\ntarget remote %s\n%s guest_main\ncontinue\nsource %s\n' \
        "$work/$1" "$2" "$here/steps.gdb" >"commands.$1"
    (cd "$build" && timeout $SECONDS_MAX gdb -batch -nx -x "$work/commands.$1" "$kernel" 2>&1 </dev/null)
}

# await WHAT...: the command succeeds, in a while.
await()
{
    for ((i = 0; i < 10 * SECONDS_MAX; i++)); do
        "$@" && return
        sleep 0.1
    done
}

# steps FILE: a line for each step; names of vCPUs and what only numbers frames, of which some are inlined, are left out.
steps()
{
    sed -E -e 's/Thread 1\.([0-9])( \(CPU#[0-9] \[[a-z ]*\]\))?/Thread \1/g; s/Thread ([0-9]) "vCPU [0-9]"/Thread \1/g' \
        -e 's/Thread [0-9] hit //; s/^#[0-9]+ +//; s/\r//g; s/ \((process 1|Remote target)\)//; s/(boot_params|multiboot_info)=[^,)]*/\1/g' "$1" | awk '/^== / { if (n) print line; n++; line = $2; next } n { line = line " | " $0 } END { print line }' |
        sed -E 's/ +/ /g'
}

cat >vm.yaml <<YAML
vms:
  - {name: a, kernel: $kernel, memory: 16M, vcpus: 2, control: wait}
YAML
timeout $((SECONDS_MAX + 30)) "$lintel" run --on bochs --time $start_time --timeout $SECONDS_MAX --cpu "$cpu" --control line vm.yaml >ours.said 2>&1 \
    </dev/null &
run=$!
(
    await "$lintel" ps line >/dev/null 2>&1
    "$lintel" gdb --socket ours line a >served 2>&1 &
    await grep -q 'waits for gdb' served
    debug ours tbreak >ours.gdb
    grep -q 'Error in' ours.gdb && kill $run
) &
make_kernel_boot "$kernel"
result $? 'an image with the kernel'
timeout $SECONDS_MAX qemu-system-x86_64 -nodefaults -no-reboot -display none -machine pc -accel tcg -cpu max,vendor=GenuineIntel -smp 2 -m 128 \
    -drive if=none,id=boot,format=raw,media=cdrom,readonly=on,file=boot.iso -device ide-cd,drive=boot,bus=ide.1,bootindex=0 \
    -serial file:theirs.said -device isa-debug-exit,iobase=0xb004,iosize=4 \
    -S -chardev socket,path=$work/theirs,server=on,wait=off,id=gdb -gdb chardev:gdb >qemu.out 2>&1 </dev/null &
await test -S theirs
debug theirs thbreak >theirs.gdb
wait

declare -A words=([ours]=Lintel [theirs]=QEMU)
for name in ours theirs; do
    cat $name.gdb $name.said >said
    ! grep -qE 'Error in|^(\[a\] )?not ok' said && grep -qE "^(\[a\] )?1\.\." said
    result $? "${words[$name]}: no step fails, and the kernel finds nothing wrong"
    steps $name.gdb >$name.cases
done
cat ours.gdb theirs.gdb >said
compare "$here/steps.txt" ours.cases theirs.cases
plan
