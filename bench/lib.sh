# SPDX-License-Identifier: BSD-2-Clause
# What the benchmarks share: where the built files are, a folder to work in, and the emulated machine.
# Sourced by programs that have set `here`, the folder of this file.
set -eu

root=$(CDPATH='' cd -- "$here/.." && pwd)
build=$(realpath -m "${LINTEL_BUILD:-$root/build}")
lintel=$build/tool/lintel
cpu=${LINTEL_BENCH_CPU:-corei7_skylake_x} # MODEL[+FEATURE]..., as lintel run takes it
ips=10000000           # instructions in an emulated second; the TSC counts instructions
start_time=1700000000  # fixed, so that a run repeats
quick=${LINTEL_BENCH_QUICK:-} # not empty: what the aims' test needs, from fewer runs

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$work"

# The description of a VM with one of the guests; a fault of its ends the run, and does not start it again.
describe_guest()
{
    echo vms:
    describe_vm bench "$1"
}

# describe_vm NAME GUEST: an entry of it.
describe_vm()
{
    cat <<EOF
  - name: $1
    kernel: $build/guests/$2.elf
    memory: 64M
    on-reset: stop
    on-fault: stop
EOF
}

# complete FILE: the guest came to its end. What it measured before an exception is no result.
complete()
{
    tr -d '\r' <"$1" >"$work/complete"
    ! grep -qx '1\.\.[1-9][0-9]*' "$work/complete" || return 0
    die "the guest did not come to its end: $(grep '^Bail out!' "$work/complete" || tail -n 1 "$work/complete")"
}

die()
{
    echo "${0##*/}: $*" >&2
    exit 1
}

# Of a model that it does not know, Bochs says nothing but its usage.
[ -z "${LINTEL_BENCH_CPU:-}" ] || bochs --help cpu 2>&1 | grep -qx "${cpu%%+*}" ||
    die "Bochs has no CPU model '${cpu%%+*}'; 'bochs --help cpu' lists them"
[ -x "$lintel" ] || die "$lintel is not built; run ninja, or set LINTEL_BUILD to the build folder"

# The command line of the demo's VM, in one line.
demo_cmdline()
{
    awk '/^ *cmdline:/ { on = 1; next } /^ *[a-z]+:/ { on = 0 } on { $1 = $1; printf "%s%s", space, $0; space = " " }' \
        "$root/examples/demo.yaml"
}

# describe_linux CMDLINE INITRD [MEMORY]: prints the description of a VM with the demo's kernel.
describe_linux()
{
    cat <<EOF
vms:
  - name: linux
    kernel: debian:linux-image-cloud-amd64
    initrd: $2
    cmdline: $1
    memory: ${3:-256M}
EOF
}

# extract IMAGE PLACE FILE: a file out of an image.
extract()
{
    xorriso -osirrox on -indev "$1" -extract "$2" "$3" >"$work/xorriso.log" 2>&1 || die "$1 has no $2"
}

# kernel_entries BZIMAGE: its 32-bit and its 64-bit entry at the preferred address, where both GRUB and Lintel put it.
kernel_entries()
{
    od -An -v -tu8 -j $((0x258)) -N 8 "$1" | awk '{ printf "0x%x,0x%x\n", $1, $1 + 512 }'
}

# linux_image ISO KERNEL INITRD CMDLINE: writes an image that boots Linux by GRUB on the bare machine.
linux_image()
{
    printf 'set timeout=0\nmenuentry bare {\n  linux /boot/kernel %s\n  initrd /boot/initrd\n}\n' "$4" >"$work/grub.cfg"
    grub-mkrescue '--install-modules=iso9660 linux normal all_video' --fonts= --locales= --themes= -o "$1" \
        "/boot/grub/grub.cfg=$work/grub.cfg" "/boot/kernel=$2" "/boot/initrd=$3" \
        >"$work/grub.log" 2>&1 || die "grub-mkrescue: $(tail -n 1 "$work/grub.log")"
}

# emulate SECONDS IMAGE MEMORY_MB [LINE...]: boots an image, with these lines more in Bochs's configuration; its debugger takes
# the commands in the file rc. Leaves bochs.out, and what the first UART sent in the file serial.
emulate()
{
    emulate_seconds=$1
    emulate_features=$(printf %s "${cpu#"${cpu%%+*}"}" | tr + ' ')
    cat >"$work/bochsrc" <<EOF
display_library: rfb, options="timeout=0"
memory: guest=$3, host=$3
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=${cpu%%+*}${emulate_features:+, add_features="$emulate_features"}, count=1, ips=$ips, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0=$start_time
ata0-master: type=cdrom, path=$2, status=inserted
boot: cdrom
log: bochs.log
com1: enabled=1, mode=file, dev=serial
sound: driver=dummy, waveout=/dev/null
plugin_ctrl: es1370=0, sb16=0, speaker=0, voodoo=0, usb_xhci=0
EOF
    shift 3
    for line; do
        echo "$line" >>"$work/bochsrc"
    done
    rm -f "$work/serial" "$work/bochs.out"
    # Bochs's display listens on all addresses: a network of its own, where that is allowed.
    alone=
    ! unshare -rn true 2>/dev/null || alone='unshare -rn'
    (cd "$work" && ulimit -f 4000000 &&
        timeout "$emulate_seconds" $alone bochs -q -unlock -f bochsrc -rc rc $(bochs_debugger) >bochs.out 2>&1 </dev/null) || true
}

# The option that starts the debugger, which 2.7 does without one (tool/emulator.c).
bochs_debugger()
{
    bochs --help 2>&1 | grep -oE '^ *-debugger ' || true
}

# ticks_at SECONDS IMAGE MEMORY_MB ADDRESS[,ADDRESS]...: boots an image, and prints the TSC when the first of these linear
# addresses is executed, then the first of the next ones after that, and so on.
ticks_at()
{
    ticks_seconds=$1 ticks_image=$2 ticks_memory=$3
    shift 3
    debugger_commands "$@" >"$work/rc"
    emulate "$ticks_seconds" "$ticks_image" "$ticks_memory"
    awk '/^\(0\) Breakpoint [0-9]+,/ { hit = 1 } hit && sub(/^Next at t=/, "") { print; hit = 0 }' \
        "$work/bochs.out" >"$work/ticks"
    [ "$(wc -l <"$work/ticks")" = $# ] || {
        tail -n 5 "$work/bochs.out" "$work/serial" >&2
        die "the machine came to $(wc -l <"$work/ticks") of these places in $ticks_seconds s: $*"
    }
    cat "$work/ticks"
}

debugger_commands()
{
    first=1
    for stop; do
        next=$first
        for address in $(echo "$stop" | tr ',' ' '); do
            echo "lb $address"
            next=$((next + 1))
        done
        echo c
        while [ $first -lt $next ]; do
            echo "d $first"
            first=$((first + 1))
        done
    done
    echo q
}

# trace_commands RUNS: for the debugger: a trace of all that happens between each two magic breakpoints.
trace_commands()
{
    awk -v runs="$1" 'BEGIN {
        while (runs-- > 0)
            print "c\ntrace on\nc\ntrace off"
        print "q"
    }'
}
