# SPDX-License-Identifier: BSD-2-Clause
# What the tests on Bochs share: a folder of their own, the verdict as TAP, the tool's run, and a run without it.
# Sourced, with the tool as `lintel`.
# shellcheck shell=bash disable=SC2154
set -u

lintel=$(realpath "$lintel")
work=$(mktemp -d)
# What still runs then is of no use to anybody: the test was ended.
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work
count=0

# The emulator's memory comes from malloc: filled, as a real machine's is when it starts, and alike in each run.
export MALLOC_PERTURB_=90
# Fixed, so that a run repeats to the instruction.
start_time=1700000000

# result GOOD NAME: one line of TAP; the run's output follows a failure.
result()
{
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        tail -n 40 said 2>/dev/null | sed 's/^/# /'
    fi
}

# says PATTERN NAME: a line of the run's output matches.
says()
{
    grep -qE -- "$1" said
    result $? "$2"
}

plan()
{
    echo "1..$count"
}

# describe KERNEL MEMORY [HOST_MEMORY [KEY]]: writes vm.yaml with one VM, which may have one more "KEY: VALUE".
describe()
{
    cat >vm.yaml <<END
host:
  memory: ${3:-256M}
vms:
  - name: test
    kernel: $1
    memory: $2
${4:+    $4}
END
}

# boot SECONDS [OPTION...]: runs vm.yaml under Lintel; `said` is what came, the result is the tool's exit code. Nobody types, so
# the kernels have virtual-interrupt delivery too, which the tool hides from Bochs's guests (docs/emulator.md).
boot()
{
    local seconds=$1 words=hide= options=()
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --hypervisor-options) words="$words $2" && shift ;;
        *) options+=("$1") ;;
        esac
        shift
    done
    timeout $((seconds + 30)) "$lintel" run --on bochs --time $start_time --timeout "$seconds" \
        --hypervisor-options "$words" "${options[@]}" vm.yaml \
        >said 2>&1 </dev/null
}

# boot_until COUNT PATTERN SECONDS [OPTION...]: the same, until so many lines match: what would go on says nothing more that matters.
# The result is whether they did.
boot_until()
{
    local count=$1 pattern=$2 seconds=$3 run
    shift 2
    : >said
    boot "$@" &
    run=$!
    for ((i = 0; i < 10 * seconds; i++)); do
        [ "$(grep -cE -- "$pattern" said)" -ge "$count" ] && break
        kill -0 $run 2>/dev/null || break
        sleep 0.1
    done
    pkill -TERM -P $run 2>/dev/null
    wait $run 2>/dev/null
    [ "$(grep -cE -- "$pattern" said)" -ge "$count" ]
}

# before_bochs: from now on the tool's runs start Bochs with $before, a command that is executed in this folder first.
before_bochs()
{
    mkdir bin
    cat >bin/bochs <<END
#!/bin/sh
case "\$*" in *bochsrc*)
    place=\$PWD
    cd $work
    eval "\$before"
    cd "\$place"
    ;;
esac
exec $(command -v bochs) "\$@"
END
    chmod +x bin/bochs
    export before PATH=$work/bin:$PATH
}

# make_image TREE ISO [PLATFORM MODULES]: an image from a folder with boot/grub/grub.cfg, for BIOS machines and multiboot2
# kernels unless another of GRUB's platforms is named, with the modules that are needed there.
make_image()
{
    grub-mkrescue -d "/usr/lib/grub/${3:-i386-pc}" -o "$2" "$1" --install-modules="${4:-multiboot2} normal iso9660 all_video" \
        --fonts= --locales= --themes= >grub.log 2>&1
}

# cpu_line MODEL[+FEATURE]... COUNT: so many of them, in Bochs's configuration; versions before 3.0 add no features.
cpu_line()
{
    local model=${1%%+*} features
    features=${1#"$model"}
    features=${features#+}
    echo "cpu: model=$model${features:+, add_features=\"${features//+/ }\"}, count=$2, ips=10000000, reset_on_triple_fault=0, ignore_bad_msrs=0"
}

# boot_image ISO CPU MEMORY_MB SECONDS [LINE...]: runs an image in Bochs without the tool, with these lines more in its
# configuration, on one CPU or as `cpus` says; `said` is the serial line. at_end: what Bochs's debugger does behind the end, lines;
# bochs.out has what it says.
boot_image()
{
    cat >bochsrc <<END
display_library: rfb, options="timeout=0"
megs: $3
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
$(cpu_line "$2" "${cpus:-1}")
clock: sync=none, time0=$start_time
ata0-master: type=cdrom, path=$1, status=inserted
boot: cdrom
log: bochs.log
com1: enabled=1, mode=file, dev=serial
sound: driver=dummy, waveout=/dev/null
plugin_ctrl: es1370=0, sb16=0, speaker=0, voodoo=0, usb_xhci=0
END
    printf '%s\n' "${@:5}" >>bochsrc
    printf 'c\n%sq\n' "${at_end:-}" >rc
    : >serial
    # Bochs's display listens on all addresses: a network of its own, where that is allowed.
    local alone=()
    unshare -rn true 2>/dev/null && alone=(unshare -rn)
    # The debugger wants to be asked for, but in 2.7, and makes a run slow (tool/emulator.c).
    local debugger=()
    [ -n "${at_end:-}" ] && bochs --help 2>&1 | grep -qE '^ *-debugger ' && debugger=(-debugger)
    (
        ulimit -f 500000
        exec timeout "$4" "${alone[@]}" bochs -q -unlock -f bochsrc -rc rc "${debugger[@]}" >bochs.out 2>&1 </dev/null
    )
    tr -d '\r' <serial >said
}
