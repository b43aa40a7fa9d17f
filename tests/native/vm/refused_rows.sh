#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# refused_rows.sh ROOT CC...: what the build must refuse in the MSR table (R26), by a message that names the row. Each line
# changes one row: NAME | command of sed | what the compiler must say.
set -u
root=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=hypervisor/msr/table.def
mkdir -p "$work/hypervisor/msr"
count=0

# compile: what the compiler says of the changed table, which stands before the real one in its search.
compile()
{
    "$@" -std=gnu17 -fsyntax-only -I "$work" -I "$root" "$root/hypervisor/msr/msr.c" 2>&1
}

result()
{
    count=$((count + 1))
    [ "$1" = 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}

cp "$root/$table" "$work/$table"
said=$(compile "$@")
result $? "the table as it is compiles"
while IFS='|' read -r name change message; do
    sed "$change" "$root/$table" >"$work/$table"
    ! said=$(compile "$@") && ! cmp -s "$root/$table" "$work/$table" && grep -qF -- "$message" <<<"$said"
    result $? "$name is refused: $message"
done <<'END'
FS base in the areas|s/^\(MSR(FS_BASE, [^,]*, [^,]*, \)VMCS/\1RESIDENT/|IA32_FS_BASE: not allowed in the MSR areas (R26)
GS base in the areas|s/^\(MSR(GS_BASE, [^,]*, [^,]*, \)VMCS/\1RESIDENT/|IA32_GS_BASE: not allowed in the MSR areas (R26)
the x2APIC's range in the areas|s/^\(MSR_RANGE(X2APIC, [^"]*"[^"]*", \)EMULATED/\1RESIDENT/|x2APIC registers: not allowed in the MSR areas (R26)
the microcode's trigger in the areas|s/^\(MSR(BIOS_UPDT_TRIG, [^"]*"[^"]*", \)EMULATED/\1RESIDENT/|IA32_BIOS_UPDT_TRIG: not allowed in the MSR areas (R26)
the microcode's signature in the areas|s/^\(MSR(BIOS_SIGN_ID, [^"]*"[^"]*", \)EMULATED/\1RESIDENT/|IA32_BIOS_SIGN_ID: not allowed in the MSR areas (R26)
an MSR of SMM's in the areas|s/^MSR(CSTAR, 0xc0000083/MSR(CSTAR, 0x9e/|IA32_CSTAR: not allowed in the MSR areas (R26)
several MSRs in one entry|s/^\(MSR_RANGE(MTRR_FIX16K, [^"]*"[^"]*", \)EMULATED/\1RESIDENT/|: not allowed in the MSR areas (R26)
a range written backwards|s/^MSR_RANGE(X2APIC, 0x800, 0x8ff/MSR_RANGE(X2APIC, 0x8ff, 0x800/|x2APIC registers: not behind the row before it
an index twice|s/^MSR(CSTAR, 0xc0000083/MSR(CSTAR, 0xc0000082/|IA32_CSTAR: not behind the row before it
rows out of order|s/^MSR(CSTAR, 0xc0000083/MSR(CSTAR, 0xc0000010/|IA32_CSTAR: not behind the row before it
a pass beyond the bitmap|s/^\(MSR(KVM_SYSTEM_TIME, .*, KEEP, \)NONE/\1READ/|MSR_KVM_SYSTEM_TIME_NEW: the MSR bitmap does not reach it
END
echo "1..$count"
