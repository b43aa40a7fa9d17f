/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: SYSCALL from ring 3, and SYSRET back. Interrupts are off; RSP is still ring 3's, and is replaced
 * before anything is pushed. There is no SWAPGS: each address space has a page that says whose it is.
 */
#include "offsets.h"

        .macro  gate_body first
        .irp    reg, rbx, rbp, r12, r13, r14, r15
        movq    %\reg, PROCESS_\reg(%r8)
        .endr
        .ifnb   \first
        movq    %rax, %rbx
        call    \first
        movq    %rbx, %rax
        .endif
        movq    %r8, %rcx
        movq    %rax, %r8
        call    gate_dispatch                   /* int64_t gate_dispatch(a, b, c, process, call) */
        movq    PROCESS_SELF, %rdi
        movq    %rax, %rsi
        .endm

        /* What is called first keeps all but RAX and RCX. */
        .macro  gates suffix=, first=
        .balign 64
        .global process_gate_syscall\suffix
        .type   process_gate_syscall\suffix, @function
process_gate_syscall\suffix:
        movq    PROCESS_SELF, %r8
        movq    %rsp, PROCESS_RSP(%r8)
        movq    PROCESS_STACK_END(%r8), %rsp
        movq    %rcx, PROCESS_RIP(%r8)
        movq    %r11, PROCESS_RFLAGS(%r8)
        gate_body \first
        jmp     return_by_sysret
        .size   process_gate_syscall\suffix, . - process_gate_syscall\suffix

        /*
         * SYSENTER loads RSP, but leaves all flags except IF as ring 3 had them: DF, NT and AC would change what
         * ring 0 does; TF traps before the first instruction here (trap_in_hypervisor ends that). SYSEXIT faults in ring 0
         * on an address that is not canonical, so those are cut.
         */
        .balign 64
        .global process_gate_sysenter\suffix
        .type   process_gate_sysenter\suffix, @function
process_gate_sysenter\suffix:
        pushq   $2
        popfq
        movq    PROCESS_SELF, %r8
        shlq    $17, %rcx
        shrq    $17, %rcx
        shlq    $17, %r11
        shrq    $17, %r11
        movq    %rcx, PROCESS_RSP(%r8)
        movq    %r11, PROCESS_RIP(%r8)
        gate_body \first
        jmp     return_by_sysexit
        .size   process_gate_sysenter\suffix, . - process_gate_sysenter\suffix
        .endm

        .text
        gates
        gates   _bhb, clear_branch_history

        /* noreturn void process_return(struct process *, int64_t result) */
        .balign 16
        .global process_return
process_return:
        cmpb    $0, process_sysenter(%rip)
        jne     return_by_sysexit

        .macro  restore_ring3
        movq    %rsi, %rax
        .irp    reg, rbx, rbp, r12, r13, r14, r15
        movq    PROCESS_\reg(%rdi), %\reg
        .endr
        .endm

        .macro  clear_scratch                   /* nothing of ring 0 leaks */
        .irp    reg, esi, edi, r8d, r9d, r10d
        xorl    %\reg, %\reg
        .endr
        .endm

        /* RCX is canonical: ring 3 executes nothing but its image, which ends far below the end of its half (image.c). */
return_by_sysret:
        restore_ring3
        movq    PROCESS_RIP(%rdi), %rcx
        movq    PROCESS_RFLAGS(%rdi), %r11
        movq    PROCESS_RSP(%rdi), %rsp
        xorl    %edx, %edx
        clear_scratch
        sysretq

return_by_sysexit:
        restore_ring3
        movq    PROCESS_RIP(%rdi), %rdx
        movq    PROCESS_RSP(%rdi), %rcx
        xorl    %r11d, %r11d
        clear_scratch
        sti                                     /* takes effect behind SYSEXIT */
        sysexitq
