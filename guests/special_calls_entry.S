/* SPDX-License-Identifier: BSD-2-Clause */
/* To ring 3 by IRET, SYSRET or SYSEXIT, once, and back by whatever happens there; special_calls.c has the tests. */
#include "guests/special_calls.h"

#include "guests/lib/modes.S"

#define FLAGS_FIXED 0x2

    .data
    .balign 8
    .globl ring3
ring3:
    .skip 112
kernel_stack:
    .quad 0

    .text

/* void go_iret(void): to ring 3 with all of `ring3`. */
    .globl go_iret
go_iret:
    KEEP_CALLER kernel_stack
    pushq ring3 + RING3_SS
    pushq ring3 + RING3_RSP
    pushq ring3 + RING3_RFLAGS
    pushq ring3 + RING3_CS
    pushq ring3 + RING3_RIP
    movq ring3 + RING3_RAX, %rax
    movq ring3 + RING3_RCX, %rcx
    movq ring3 + RING3_RDX, %rdx
    iretq

    .macro GO name, instruction
    .globl \name
\name:
    KEEP_CALLER kernel_stack
    movq ring3 + RING3_RCX, %rcx
    movq ring3 + RING3_RDX, %rdx
    movq ring3 + RING3_R11, %r11
    movq ring3 + RING3_RSP, %rsp
    \instruction
    .endm

/* void go_...(void): RCX, RDX, R11 and RSP of `ring3`, and the instruction. */
    GO go_sysretq, sysretq
    GO go_sysretl, sysretl
    GO go_sysexitq, sysexitq
    GO go_sysexitl, sysexitl

/* Notes what the CPU has done, and returns to go_...'s caller. */
    .macro NOTE how
    movq %rsp, ring3 + RING3_RSP
    movq kernel_stack, %rsp
    pushfq
    popq ring3 + RING3_RFLAGS
    pushq $FLAGS_FIXED
    popfq
    movq %rax, ring3 + RING3_RAX
    movq %rcx, ring3 + RING3_RCX
    movq %rdx, ring3 + RING3_RDX
    movq %r11, ring3 + RING3_R11
    movq %r8, ring3 + RING3_R8
    movq %r9, ring3 + RING3_R9
    movq %r10, ring3 + RING3_R10
    movw %cs, ring3 + RING3_CS
    movw %ss, ring3 + RING3_SS
    movq $\how, ring3 + RING3_HOW
    .endm

    .globl back_by_syscall
back_by_syscall:
    NOTE BACK_SYSCALL
    jmp back

    .globl back_by_sysenter
back_by_sysenter:
    NOTE BACK_SYSENTER
    jmp back

/* Where a fault's handler sends the CPU; it has noted the registers itself. */
    .globl back_by_fault
back_by_fault:
    movq $BACK_FAULT, ring3 + RING3_HOW
    movq kernel_stack, %rsp
back:
    RETURN_TO_CALLER

/* The programs, copied to where ring 3 may execute them: only relative addresses. */
    .balign 4096
    .globl programs
programs:

    .macro PROGRAM name
    .globl program_\name
program_\name:
    .endm

    PROGRAM syscall
    syscall
    PROGRAM sysenter
    sysenter
    PROGRAM rdmsr
    rdmsr
    PROGRAM wrmsr
    wrmsr
    PROGRAM xsetbv
    xsetbv

/* What SYSRET and SYSEXIT have set. PUSHF shows neither RF nor VM. */
    PROGRAM report
    movw %cs, %r8w
    movw %ss, %r9w
    pushfq
    popq %r10
    syscall

    .code32
/* The same in 32 bits, where only EAX, ECX and EDX come through. */
    PROGRAM report32
    movl %cs, %eax
    movl %ss, %ecx
    pushfl
    popl %edx
    sysenter
    PROGRAM syscall32
    syscall
    PROGRAM sysenter32
    sysenter
    .code64

    .balign 4096
    .globl programs_end
programs_end:

    .section .note.GNU-stack, "", @progbits
