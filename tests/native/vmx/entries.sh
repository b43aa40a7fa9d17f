#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# entries.sh HYPERVISOR: the ways into a guest, disassembled. With verw, VERW is the last instruction before each entry, so that
# nothing reads memory behind it; without, there is none; and with l1d the cache is emptied before that (cpu/mitigations.def).
set -u
n=0

# verdict STATUS WORDS
verdict()
{
    n=$((n + 1))
    [ "$1" = 0 ] || printf 'not '
    printf 'ok %d - %s\n' $n "$2"
}

# code SYMBOL: its instructions, without addresses.
code()
{
    objdump -d --no-show-raw-insn "--disassemble=$1" "$hypervisor" | sed -n 's/^[0-9a-f]*:[[:space:]]*//p' | sed 's/[[:space:]].*#.*//'
}

# entries SYMBOL: what stands before each VMLAUNCH and VMRESUME.
entries()
{
    code "$1" | awk '/^(vmlaunch|vmresume)/ { print before } { before = $1 }'
}

hypervisor=$1
for name in vmx_exit vmx_exit_eager vmx_enter; do
    found=$(entries $name)
    [ -n "$found" ] && ! code $name | grep -q '^verw'
    verdict $? "$name: an entry, and no VERW"
    found=$(entries ${name}_verw | sort -u)
    [ "$found" = verw ]
    verdict $? "${name}_verw: VERW is the last before each entry"
    # one instruction more for each entry, and nothing else
    [ "$(code ${name}_verw | grep -c .)" = $(($(code $name | grep -c .) + $(entries $name | grep -c .))) ]
    verdict $? "${name}_verw: the same but for that"
done
code vmx_enter_l1d | grep -B4 -A1 '^wrmsr' | tr -s ' \n' ' ' | grep -q 'mov \$0x10b,%ecx mov \$0x1,%eax xor %edx,%edx wrmsr jmp'
verdict $? "vmx_enter_l1d: IA32_FLUSH_CMD, then a jump"
objdump -d "--disassemble=vmx_enter_l1d" "$hypervisor" | grep -q 'jmp.*<vmx_enter_verw>'
verdict $? "vmx_enter_l1d: to the way with VERW"
echo 1..$n
