#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# msr_rows.sh LINTEL MSRS.MD FIRMWARE CPU [DEMO.YAML]: each MSR that software touches on the bare machine has a row in the
# table that the page is made from. The software is the firmware, the boot loader, and the description's kernel where one
# is given. Bochs's log tells of each access but for x2APIC's, which has one row for all.
lintel=$1 page=$(realpath "$2") firmware=$3 cpu=$4 demo=${5:+$(realpath "$5")}
# shellcheck source=tests/bochs/common.bash
. "$(dirname "$(realpath "$0")")/common.bash"

SECONDS_MAX=200 # Linux 6.12 takes forty where nothing else runs
declare -A roms=([ovmf]=/usr/share/ovmf/OVMF.fd [seabios]=/usr/share/seabios/bios.bin)
declare -A platforms=([ovmf]=x86_64-efi [seabios]=i386-pc)
# All MSRs that Bochs lacks read 0. So does IA32_MISC_ENABLE, with fast strings off, and this kernel does not survive
# FSRM without them.
cmdline='console=ttyS0 quiet nokaslr tsc=reliable tsc_early_khz=10000 no_timer_check nowatchdog audit=0 apparmor=0'
cmdline="$cmdline cryptomgr.notests random.trust_cpu=on clearcpuid=fsrm rdinit=/bin/busybox -- poweroff -f"

make_tree()
{
    mkdir -p tree/boot/grub
    if [ -n "$demo" ]; then
        "$lintel" image -o lintel.iso "$demo" >said 2>&1 </dev/null || return
        xorriso -osirrox on -indev lintel.iso -extract /boot/file-0 tree/boot/kernel -extract /boot/file-1 tree/boot/initrd \
            >said 2>&1 || return
        end='reboot: Power down'
        printf 'linux /boot/kernel %s\ninitrd /boot/initrd\nboot\n' "$cmdline" >tree/boot/grub/grub.cfg
    else
        end='the boot loader runs'
        printf 'serial\nterminal_output serial\necho %s\nhalt\n' "$end" >tree/boot/grub/grub.cfg
    fi
}

# The accesses that Bochs's log tells of, each once. Bochs 3.0 counts the performance monitor's selectors, which begin at 186h.
accesses()
{
    LC_ALL=C grep -aoE '(RD|WR)MSR.*' <log | sort -u | sed '/^RDMSR: read of MSR_IA32_PERFEVTSEL[0-7]$/ {
        s/.*\(.\)/\1/
        y/01234567/6789abcd/
        s/^/RDMSR: Unknown register 0x18/
    }'
}

# The indices in them, and what tells of a read without its index. A write is always told first as such.
touched()
{
    sed -nE 's/^(RDMSR: read|WRMSR: write) .* MSR ([0-9a-f]+)$/\2/p; s/^RDMSR: Unknown register 0x([0-9a-f]+)$/\1/p' trace |
        sort -u
}

nameless()
{
    grep '^RDMSR' trace | grep -vE '^RDMSR: (read .* MSR [0-9a-f]+|Read .* MSR_APICBASE|Unknown register 0x[0-9a-f]+)$'
}

# The indices that the page's rows cover; behind them are tables of bits.
rows()
{
    sed -nE '/^## IA32_/q; s/^\| ([0-9a-f]+)(-([0-9a-f]+))? \|.*/\1 \3/p' "$1" | while read -r first last; do
        for ((index = 16#$first; index <= 16#${last:-$first}; index++)); do
            printf '%x\n' $index
        done
    done | sort
}

make_tree && make_image tree bare.iso "${platforms[$firmware]}" 'linux serial terminal echo halt'
result $? "$firmware: an image to boot"
# The log is hundreds of megabytes, so nothing keeps it. Open at this end too, no reader waits for a Bochs that never came.
mkfifo log
exec 3<>log
accesses >trace 3>&- &
boot_image bare.iso "$cpu" 256 $SECONDS_MAX "romimage: file=${roms[$firmware]}" 'cpu: ignore_bad_msrs=1' 'log: log' \
    'debug: action=ignore, cpu0=report'
exec 3>&-
wait
says "$end" "$firmware: $end"
touched >indices
printf '%s\n' 1b 200 2ff fe | comm -23 - indices >said
! [ -s said ]
result $? "$firmware: the log tells of APIC_BASE and of the MTRRs"
nameless >said
! [ -s said ]
result $? "$firmware: the log tells each index"
comm -23 indices <(rows "$page") >said
! [ -s said ]
result $? "$firmware: each of $(wc -l <indices) MSRs has its row"
comm -23 indices <(grep -v IA32_MTRRCAP "$page" | rows /dev/stdin) >said
[ "$(cat said)" = fe ]
result $? "$firmware: a row that is taken away is missed"
plan
