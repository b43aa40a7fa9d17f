/* SPDX-License-Identifier: BSD-2-Clause */
/* Macros for kernels' own entries, to be included: what a function keeps for its caller, and the way out of long mode and back. */
#include "guests/lib/selectors.h"
#include "lib/msr.h"

#define EFER_LME_NXE   0x900
#define CR0_WITHOUT_PG 0x00010033
#define CR0_PG         0x80000000
#define CR4_PAE        0x20

/* What a function shall find unchanged is on its stack, and the stack's place at `to`. */
    .macro KEEP_CALLER to
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, \to
    .endm

/* With RSP as KEEP_CALLER has left it. */
    .macro RETURN_TO_CALLER
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
    .endm

/* To 32-bit code without paging, with DS, ES and SS for it (DATA32), its own stack and the IDT of idt32_pointer. Once in a file, which
 * has CODE32 and DATA32 before this one. */
    .macro LEAVE_LONG stack
    .lcomm rsp64, 8
    .lcomm idt64_pointer, 16
    KEEP_CALLER rsp64
    sidt idt64_pointer
    lidt idt32_pointer
    movl $\stack, %esp
    pushq $CODE32
    pushq $1f
    lretq
    .code32
1:  movl $DATA32, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $CR0_WITHOUT_PG, %eax
    movl %eax, %cr0
    .endm

/* Without paging: the kernel's pages, and a CPU that is in long mode with CR0.PG. */
    .macro PREPARE_LONG
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $page_map, %eax
    movl %eax, %cr3
    movl $MSR_IA32_EFER, %ecx
    movl $EFER_LME_NXE, %eax
    xorl %edx, %edx
    wrmsr
    .endm

/* LTR wants a TSS that is not busy. */
    .macro LOAD_TASK selector
    andb $~2, descriptors + \selector + 5
    movl $\selector, %eax
    ltr %ax
    .endm

/* The end of the function with LEAVE_LONG, behind PREPARE_LONG and with a TSS of 64 bits. */
    .macro RETURN_TO_LONG
    movl $CR0_WITHOUT_PG | CR0_PG, %eax
    movl %eax, %cr0
    ljmp $KERNEL_CODE, $1f
    .code64
1:  movl $KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movq rsp64, %rsp
    lidt idt64_pointer
    RETURN_TO_CALLER
    .endm
