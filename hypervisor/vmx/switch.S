/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch. At a VM exit RSP is the end of the vCPU's gpr array, so that pushing saves the guest's
 * registers in their place, and what is left in RSP is the vCPU.
 */
#include "offsets.h"

        /* Where each is in the array: in the order of the instructions' encoding. */
        .set    place, 0
        .irp    reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        .set    GPR_\reg, place
        .set    place, place + 8
        .endr

        .macro  load_guest_registers
        .irp    reg, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        movq    GPR_\reg(%rax), %\reg
        .endr
        movq    GPR_rax(%rax), %rax
        .endm

        /* Overwrites what buffers keep of others (lib/mitigations.def, verw): nothing may read memory behind it. */
        .macro  overwrite_buffers
        verw    verw_operand(%rip)
        .endm

        /* Nothing of a guest's is left in the branch history (lib/mitigations.def, bhb). Changes RAX and RCX. */
        .macro  forget_history
        call    clear_branch_history
        .endm

        /* The ways out of a guest and in again, each with an index of its own (exit.h). No stub has a RET before a CALL, and ring 0
         * returns only to what it has called since: what a guest has left to return to is never asked for. */
        .macro  exit_stub index, dispatch, first=, last=
        .balign 64
        .type   vmx_exit_\index, @function
vmx_exit_\index:
        /* the second RBX is in the place of RSP, which the VMCS has */
        .irp    reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rbx, rdx, rcx, rax
        pushq   %\reg
        .endr
        movq    %rsp, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        \first
        call    \dispatch                       /* struct vcpu *dispatch(struct vcpu *) */
        load_guest_registers
        \last
        vmresume
        call    vmx_entry_failed
        .size   vmx_exit_\index, . - vmx_exit_\index
        .endm

        /* noreturn void enter(struct vcpu *): the first entry, or the first since it ran elsewhere */
        .macro  enter_stub name, last=
        .balign 16
        .global \name
        .type   \name, @function
\name:
        movq    %rdi, %rax
        movq    VCPU_STACK(%rdi), %rsp
        cmpl    $0, VCPU_LAUNCHED(%rdi)
        jne     1f
        movl    $1, VCPU_LAUNCHED(%rdi)
        load_guest_registers
        \last
        vmlaunch
        call    vmx_entry_failed
1:      load_guest_registers
        \last
        vmresume
        call    vmx_entry_failed
        .size   \name, . - \name
        .endm

        .text
        exit_stub 0, exit_dispatch
        exit_stub 1, exit_dispatch_eager
        exit_stub 2, exit_dispatch, last=overwrite_buffers
        exit_stub 3, exit_dispatch_eager, last=overwrite_buffers
        exit_stub 4, exit_dispatch, forget_history
        exit_stub 5, exit_dispatch_eager, forget_history
        exit_stub 6, exit_dispatch, forget_history, overwrite_buffers
        exit_stub 7, exit_dispatch_eager, forget_history, overwrite_buffers
        exit_stub 8, trace_dispatch, last=overwrite_buffers
        exit_stub 9, trace_dispatch, forget_history, overwrite_buffers
        enter_stub vmx_enter
        enter_stub vmx_enter_verw, overwrite_buffers

        /* L1TF: the L1 data cache is emptied, IA32_FLUSH_CMD bit 0 */
        .balign 16
        .global vmx_enter_l1d
        .type   vmx_enter_l1d, @function
vmx_enter_l1d:
        movl    $0x10b, %ecx
        movl    $1, %eax
        xorl    %edx, %edx
        wrmsr
        jmp     vmx_enter_verw
        .size   vmx_enter_l1d, . - vmx_enter_l1d

        /*
         * Takes so many branches, of two kinds and by calls that nest, that the history is theirs (Intel's "Branch History Injection and
         * Intra-mode Branch Target Injection", the software sequence for CPUs of before Alder Lake).
         */
        .balign 64
        .global clear_branch_history
        .type   clear_branch_history, @function
clear_branch_history:
        movl    $5, %ecx
        call    1f
        lfence
        ret
        .balign 64
1:      call    2f
        ret
        .balign 64
2:      movl    $5, %eax
3:      jmp     4f
        nop
4:      decl    %eax
        jnz     3b
        decl    %ecx
        jnz     1b
        ret
        .size   clear_branch_history, . - clear_branch_history

        .section .rodata
        .balign 8
        .global vmx_exits
        .type   vmx_exits, @object
vmx_exits:
        .irp    index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
        .quad   vmx_exit_\index
        .endr
        .size   vmx_exits, . - vmx_exits
verw_operand:
        .word   SELECTOR_KERNEL_DATA
