#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# entries.sh HYPERVISOR PRINT_PROFILES SOURCES: the ways out of a guest and into it, disassembled, as each CPU profile has them
# (lib/mitigations.def). VERW is the last instruction before an entry, so that nothing reads memory behind it; the branch history is
# cleared behind an exit before anything else is called; what is not needed is not there. No way has a RET before a CALL, and the
# assembly in the folder SOURCES none beside that sequence, so that ring 0 returns only to what it has called since an exit.
set -u
n=0
hypervisor=$1 profiles=$2 sources=$3
EAGER=1
disassembly=$(objdump -d --no-show-raw-insn "$hypervisor" | grep -A60 -E '<(vmx_e|clear_|process_gate_)[a-z_0-9]*>:$')
symbols=$(nm "$hypervisor")

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
    sed -n "/<$1>:$/,/^$/s/^[0-9a-f]*:[[:space:]]*//p" <<<"$disassembly" | sed 's/[[:space:]]*#.*//'
}

# entries SYMBOL: what stands before each VMLAUNCH and VMRESUME.
entries()
{
    code "$1" | awk '/^(vmlaunch|vmresume)/ { print before } { before = $1 }'
}

# flow SYMBOL: where it calls, and what it returns, jumps and enters by, in a line.
flow()
{
    code "$1" | sed -nE 's/^call.*<(.*)>$/\1/p; s/^(ret|j[a-z]+|vmresume|vmlaunch|verw).*/\1/p' | tr '\n' ' '
}

address()
{
    sed -n "s/^\([0-9a-f]*\) . $1$/\1/p" <<<"$symbols"
}

# way INDEX: the symbol that vmx_exits has there.
way()
{
    local at
    at=$((16#$(address vmx_exits) + 8 * $1))
    at=$(objdump -s -j .rodata --start-address=$at --stop-address=$((at + 8)) "$hypervisor" | awk 'END { print $2 $3 }')
    at=$(fold -w2 <<<"$at" | tac | tr -d '\n')
    sed -n "s/^$at . \(vmx_exit_[0-9]*\)$/\1/p" <<<"$symbols"
}

# only_before LAST SYMBOL: each entry has LAST before it.
only_before()
{
    [ "$(entries "$2" | sort -u)" = "$1" ]
}

while read -r index entry name; do
    words='' first='' last=mov
    [ $((index & 4)) = 0 ] || { words="$words, the branch history is cleared before all else" first='clear_branch_history '; }
    [ $((index & 2)) = 0 ] || { words="$words, VERW is the last before an entry" last=verw; }
    [ "$entry" != vmx_enter_l1d ] || words="$words, after the L1 data cache is emptied when it comes from elsewhere"
    good=0
    for dispatch in exit_dispatch exit_dispatch_eager; do
        symbol=$(way "$index")
        index=$((index + EAGER))
        [ "$(flow "$symbol")" = "$first$dispatch $([ $last = mov ] || echo 'verw ')vmresume vmx_entry_failed " ] &&
            only_before $last "$symbol" || good=1
    done
    [ "$entry" != vmx_enter_l1d ] || last=verw
    only_before $last "${entry/l1d/verw}" || good=1
    verdict $good "$name${words:-: nothing is done}"
done < <("$profiles")

# A traced vCPU's have the last in any case.
[ "$(flow "$(way 8)")" = 'trace_dispatch verw vmresume vmx_entry_failed ' ] && only_before verw "$(way 8)" &&
    [ "$(flow "$(way 9)")" = 'clear_branch_history trace_dispatch verw vmresume vmx_entry_failed ' ] && only_before verw "$(way 9)"
verdict $? "of a traced vCPU: VERW in any case, the branch history as of others"

# A process's calls.
for gate in process_gate_syscall process_gate_sysenter; do
    [ "$(flow $gate)" = 'gate_dispatch jmp ' ] && [ "$(flow ${gate}_bhb)" = 'clear_branch_history gate_dispatch jmp ' ]
    verdict $? "$gate: the branch history is cleared first where that is needed"
done

# One instruction more for each entry, and nothing else.
[ "$(code vmx_enter_verw | grep -c .)" = $(($(code vmx_enter | grep -c .) + $(entries vmx_enter | grep -c .))) ]
verdict $? "vmx_enter_verw: as vmx_enter but for VERW"
code vmx_enter_l1d | grep -B4 -A1 '^wrmsr' | tr -s ' \n' ' ' | grep -q 'mov \$0x10b,%ecx mov \$0x1,%eax xor %edx,%edx wrmsr jmp'
verdict $? "vmx_enter_l1d: IA32_FLUSH_CMD, then a jump"
code vmx_enter_l1d | grep -q '^jmp.*<vmx_enter_verw>'
verdict $? "vmx_enter_l1d: to the way with VERW"
[ "$(code clear_branch_history | awk '/^lfence/ { fence = 1; next } fence { print; exit }')" = ret ]
verdict $? "clear_branch_history: LFENCE before it returns"
[ "$(grep -hE '^[[:space:]]*l?retq?\>' "$sources"/*/*.S | tr -d '[:space:]')" = retretret ] &&
    [ "$(code clear_branch_history | grep -c '^ret')" = 3 ]
verdict $? "no other assembly returns"
echo 1..$n
