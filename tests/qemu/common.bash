# SPDX-License-Identifier: BSD-2-Clause
# What tests of plans that no description makes share: an image from rows of plan.c, and a run on QEMU's own processor. Sourced behind
# bochs/common.bash, with the build folder as `build`.
# shellcheck shell=bash disable=SC2154

# make_boot WORDS ROW...: boot.iso with this plan and what it names; WORDS are the hypervisor's.
make_boot()
{
    local words=$1 file number=0
    shift
    rm -rf tree
    mkdir -p tree/boot/grub
    "$build/tests/plan" tree/boot/plan "$@" >files || return
    cp "$build/hypervisor/lintel-hypervisor" "$build/monitor/lintel-monitor" tree/boot
    {
        printf 'set timeout=0\nmenuentry Lintel {\n%s\n' "${menu:-}"
        printf '  multiboot2 /boot/lintel-hypervisor %s\n' "$words"
        printf '  module2 /boot/plan plan\n  module2 /boot/lintel-monitor monitor\n'
        while read -r file; do
            cp "$file" "tree/boot/file-$number"
            printf '  module2 /boot/file-%d file-%d\n' $number $number
            number=$((number + 1))
        done <files
        printf '}\n'
    } >tree/boot/grub/grub.cfg
    make_image tree boot.iso i386-pc 'multiboot2 setpci'
}

# boot_qemu SECONDS CPU [OPTION...]: runs boot.iso with these devices, on one CPU or as `cpus` says; to its end, or until a line is there
# that matches `until`; `said` is the serial line.
boot_qemu()
{
    : >serial
    timeout "$1" qemu-system-x86_64 -nodefaults -no-reboot -display none -machine pc -accel tcg -cpu "$2" -smp "${cpus:-1}" -m 256 \
        -drive if=none,id=boot,format=raw,media=cdrom,readonly=on,file=boot.iso -device ide-cd,drive=boot,bus=ide.1,bootindex=0 \
        "${@:3}" -serial file:serial -device isa-debug-exit,iobase=0xf4,iosize=4 >qemu.out 2>&1 </dev/null &
    local code pid=$!
    while [ -n "${until:-}" ] && kill -0 $pid 2>/dev/null && ! tr -d '\r' <serial | grep -qE "$until"; do
        sleep 0.1
    done
    [ -z "${until:-}" ] || kill $pid 2>/dev/null
    wait $pid
    code=$?
    # 33 is what end=qemu says; a signal is QEMU's own fault, and 124 the end of the time.
    [ $code -lt 124 ] || [ -n "${until:-}" ] || echo "# QEMU ended with $code: $(tail -n 1 qemu.out)"
    tr -d '\r' <serial >said
}

# make_kernel_boot KERNEL: boot.iso with a test kernel, which GRUB starts.
make_kernel_boot()
{
    mkdir -p tree/boot/grub
    cp "$1" tree/boot/kernel
    printf 'set timeout=0\nmenuentry kernel {\n  multiboot2 /boot/kernel\n}\n' >tree/boot/grub/grub.cfg
    make_image tree boot.iso
}

# compare TABLE OURS THEIRS: Lintel's cases and QEMU's, each a line, are the same but for what the table explains.
compare()
{
    local verdict name
    python3 "$here/compare.py" "$@" >compared
    while read -r verdict name; do
        [ "$verdict" = ok ]
        result $? "${name#- }"
    done < <(grep -E '^(not ok|ok) ' compared | sed 's/^not ok/not-ok/')
    grep '^#' compared
}
