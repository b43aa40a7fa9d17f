/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry of exceptions and interrupts: each vector's stub leaves a struct trap_frame and goes to C. */
#include "offsets.h"

        .text
        .balign 16
        .global trap_stubs
trap_stubs:
        .set vector, 0
        .rept 256
        .balign 16
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        pushq   $0                              /* these have no error code */
        .endif
        pushq   $vector
        jmp     trap_common
        .set vector, vector + 1
        .endr

        .type   trap_common, @function
trap_common:
        cld
        .irp    reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        pushq   %\reg
        .endr
        movq    %rsp, %rdi
        testb   $3, TRAP_CS(%rsp)
        jz      1f
        cmpq    $TRAP_VECTOR_NMI, TRAP_VECTOR(%rsp)
        je      1f                              /* these three have stacks of their own, and return from them */
        cmpq    $TRAP_VECTOR_DF, TRAP_VECTOR(%rsp)
        je      1f
        cmpq    $TRAP_VECTOR_MC, TRAP_VECTOR(%rsp)
        je      1f
        /* The frame is the process's user_frame: the TSS points there while it runs. */
        movq    (PROCESS_STACK_END - PROCESS_USER_FRAME)(%rdi), %rsp
        pushq   $2                              /* without AC, or a process could switch SMAP off for us */
        popfq
        xorl    %ebp, %ebp
        call    trap_in_ring3
1:      movq    %rsp, %rbx
        andq    $~15, %rsp
        call    trap_in_hypervisor
        movq    %rbx, %rdi

        .global trap_return
trap_return:
        movq    %rdi, %rsp
        .irp    reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
        popq    %\reg
        .endr
        addq    $16, %rsp                       /* vector and error code */
        iretq
        .size   trap_common, . - trap_common
