/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's SYSCALL and SYSENTER entries, the way to ring 3 and back, and the programs that run there. */
#include "guests/syscall.h"

#include "guests/lib/modes.S"

#define SCRATCH_PORT 0x3ff
#define FLAGS_FIXED  0x2

/* What an entry found is kept for syscall.c to look at. */
    .macro COUNTER name
    .globl \name
\name: .quad 0
    .endm

    .data
    .balign 8
    COUNTER log_calls
    COUNTER log_cs
    COUNTER log_ss
    COUNTER log_flags
    COUNTER log_stack
    COUNTER log_kernel_gs
    COUNTER log_user_cs
    COUNTER log_user_ss
    COUNTER user_kernel_stack
user_stack:
    .quad 0

    .text

/* uint64_t user_run(uint64_t rip, uint64_t rsp): runs a program in ring 3 until CALL_EXIT; its result. */
    .globl user_run
user_run:
    KEEP_CALLER user_kernel_stack
    pushq $USER_DATA
    pushq %rsi
    pushq $FLAGS_FIXED
    pushq $USER_CODE
    pushq %rdi
    iretq

/* The end of user_run, with the result in RAX and RSP as in user_kernel_stack. */
    .globl user_return
user_return:
    RETURN_TO_CALLER

/* Notes the state, and lets somebody else answer an OUT and an IN in between. */
    .macro NOTE_ENTRY
    pushfq
    popq log_flags
    movw %cs, log_cs
    movw %ss, log_ss
    movq %r8, log_user_cs
    movq %r9, log_user_ss
    pushq %rax
    pushq %rdx
    movl $SCRATCH_PORT, %edx
    outb %al, %dx
    inb %dx, %al
    popq %rdx
    popq %rax
    .endm

    .globl syscall_entry
syscall_entry:
    swapgs
    movq %rsp, user_stack
    movq user_kernel_stack, %rsp
    NOTE_ENTRY
    pushq %rcx
    pushq %rdx
    pushq %rax
    movl $0xc0000101, %ecx
    rdmsr
    movl %eax, log_kernel_gs
    movl %edx, log_kernel_gs + 4
    popq %rax
    popq %rdx
    popq %rcx
    cmpq $CALL_EXIT, %rax
    je 1f
    incq log_calls
    movq log_calls, %rax
    movq user_stack, %rsp
    swapgs
    sysretq
1:  swapgs
    movq %rdi, %rax
    jmp user_return

/* The program gives its RIP in RDX, its RSP in RCX, and in ESI whether it is 32-bit code. */
    .globl sysenter_entry
sysenter_entry:
    movq %rsp, log_stack
    NOTE_ENTRY
    cmpq $CALL_EXIT, %rax
    je 1f
    incq log_calls
    movq log_calls, %rax
    testl %esi, %esi
    jnz 2f
    sysexitq
2:  sysexitl
1:  movq %rdi, %rax
    movq user_kernel_stack, %rsp
    jmp user_return

/* Copied to where ring 3 may execute it: only relative addresses. */
    .balign 4096
    .globl user_text
user_text:

/* The result is the number of calls that returned the right count. */
    .globl user_syscall
user_syscall:
    xorl %edi, %edi
1:  movq %cs, %r8
    movq %ss, %r9
    movl $CALL_COUNT, %eax
    syscall
    leaq 1(%rdi), %rbx
    cmpq %rbx, %rax
    jne 2f
    movq %rbx, %rdi
    cmpq $CALLS, %rdi
    jb 1b
2:  movl $CALL_EXIT, %eax
    syscall

    .globl user_sysenter
user_sysenter:
    xorl %edi, %edi
    xorl %esi, %esi
    movq %rsp, %rcx
    leaq 2f(%rip), %rdx
1:  movq %cs, %r8
    movq %ss, %r9
    movl $CALL_COUNT, %eax
    sysenter
2:  leaq 1(%rdi), %rbx
    cmpq %rbx, %rax
    jne 3f
    movq %rbx, %rdi
    cmpq $CALLS, %rdi
    jb 1b
3:  movl $CALL_EXIT, %eax
    sysenter

    .macro TO_COMPATIBILITY label
    leaq \label(%rip), %rbx
    pushq $USER_CODE32
    pushq %rbx
    lretq
    .endm

/* R8 and R9 cannot be written here: they are noted as the caller leaves them. */
    .globl user_compat_sysenter
user_compat_sysenter:
    xorl %edi, %edi
    movl $1, %esi
    movq %rsp, %rcx
    leaq 2f(%rip), %rdx
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    TO_COMPATIBILITY 1f
    .code32
1:  movl $CALL_COUNT, %eax
    sysenter
2:  leal 1(%edi), %ebx
    cmpl %ebx, %eax
    jne 3f
    movl %ebx, %edi
    movl %cs, %ebx
    cmpl $USER_CODE32, %ebx
    jne 3f
    movl %ss, %ebx
    cmpl $USER_DATA, %ebx
    jne 3f
    cmpl $CALLS, %edi
    jb 1b
3:  movl $CALL_EXIT, %eax
    sysenter
    .code64

    .globl user_compat_syscall
user_compat_syscall:
    TO_COMPATIBILITY 1f
1:  syscall

    .globl user_cpuid
user_cpuid:
    xorl %eax, %eax
    cpuid
    movl %ebx, %edi
    movl $CALL_EXIT, %eax
    syscall

    .macro REFUSED name, instruction
    .globl user_\name
user_\name:
    \instruction
    movl $CALL_EXIT, %eax
    syscall
    .endm

#define X(name, instruction, vector) REFUSED name, instruction;
    REFUSED_PROGRAMS(X)
    REFUSED xsetbv, "xorl %ecx, %ecx; xorl %edx, %edx; movl $3, %eax; xsetbv"

    .balign 4096
    .globl user_text_end
user_text_end:
