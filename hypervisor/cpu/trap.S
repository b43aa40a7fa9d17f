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
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rbx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
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
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp                       /* vector and error code */
        iretq
        .size   trap_common, . - trap_common
