/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch. At a VM exit RSP is the end of the vCPU's gpr array, so that pushing saves the guest's
 * registers in their place, and what is left in RSP is the vCPU.
 */
#include "offsets.h"

        .macro  load_guest_registers
        movq    GPR_RCX(%rax), %rcx
        movq    GPR_RDX(%rax), %rdx
        movq    GPR_RBX(%rax), %rbx
        movq    GPR_RBP(%rax), %rbp
        movq    GPR_RSI(%rax), %rsi
        movq    GPR_RDI(%rax), %rdi
        movq    GPR_R8(%rax), %r8
        movq    GPR_R9(%rax), %r9
        movq    GPR_R10(%rax), %r10
        movq    GPR_R11(%rax), %r11
        movq    GPR_R12(%rax), %r12
        movq    GPR_R13(%rax), %r13
        movq    GPR_R14(%rax), %r14
        movq    GPR_R15(%rax), %r15
        movq    GPR_RAX(%rax), %rax
        .endm

        .macro  exit_stub name, dispatch
        .balign 64
        .global \name
        .type   \name, @function
\name:
        pushq   %r15
        pushq   %r14
        pushq   %r13
        pushq   %r12
        pushq   %r11
        pushq   %r10
        pushq   %r9
        pushq   %r8
        pushq   %rdi
        pushq   %rsi
        pushq   %rbp
        pushq   %rbx                            /* the place of RSP, which the VMCS has */
        pushq   %rbx
        pushq   %rdx
        pushq   %rcx
        pushq   %rax
        movq    %rsp, %rdi
        movq    VCPU_STACK(%rdi), %rsp
        call    \dispatch                       /* struct vcpu *dispatch(struct vcpu *) */
        load_guest_registers
        vmresume
        call    vmx_entry_failed
        .size   \name, . - \name
        .endm

        .text
        exit_stub vmx_exit, exit_dispatch
        exit_stub vmx_exit_eager, exit_dispatch_eager

        /* noreturn void vmx_enter(struct vcpu *): the first entry, or the first since it ran elsewhere */
        .balign 16
        .global vmx_enter
        .type   vmx_enter, @function
vmx_enter:
        movq    %rdi, %rax
        movq    VCPU_STACK(%rdi), %rsp
        cmpl    $0, VCPU_LAUNCHED(%rdi)
        jne     1f
        movl    $1, VCPU_LAUNCHED(%rdi)
        load_guest_registers
        vmlaunch
        call    vmx_entry_failed
1:      load_guest_registers
        vmresume
        call    vmx_entry_failed
        .size   vmx_enter, . - vmx_enter
