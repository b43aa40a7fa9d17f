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

        /* Overwrites what buffers keep of others (cpu/mitigations.def, verw): nothing may read memory behind it. */
        .macro  overwrite_buffers
        verw    verw_operand(%rip)
        .endm

        .macro  exit_stub name, dispatch, last=
        .balign 64
        .global \name
        .type   \name, @function
\name:
        /* the second RBX is in the place of RSP, which the VMCS has */
        .irp    reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rbx, rdx, rcx, rax
        pushq   %\reg
        .endr
        movq    %rsp, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    \dispatch                       /* struct vcpu *dispatch(struct vcpu *) */
        load_guest_registers
        \last
        vmresume
        call    vmx_entry_failed
        .size   \name, . - \name
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
        exit_stub vmx_exit, exit_dispatch
        exit_stub vmx_exit_eager, exit_dispatch_eager
        exit_stub vmx_exit_verw, exit_dispatch, overwrite_buffers
        exit_stub vmx_exit_eager_verw, exit_dispatch_eager, overwrite_buffers
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

        .section .rodata
verw_operand:
        .word   SELECTOR_KERNEL_DATA
