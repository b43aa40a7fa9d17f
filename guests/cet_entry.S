/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs under shadow stacks and branch tracking, and the handler of their #CP, which switches both off. */
#include "guests/cet.h"
#include "guests/lib/modes.S"

    .macro SWITCH_OFF
    movl $MSR_IA32_S_CET, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    .endm

    .text
/* (program, IA32_S_CET): 0, or CET_FAULT and the error code. */
    .globl cet_run
cet_run:
    KEEP_CALLER stack
    movq %rdi, %rbx
    movl %esi, %ebp
    movl $MSR_IA32_S_CET, %ecx
    movl %esi, %eax
    xorl %edx, %edx
    wrmsr
    testl $CET_SHADOW_STACK, %ebp
    jz 1f
    setssbsy
1:  call *%rbx
    xorl %ebx, %ebx
recover:
    SWITCH_OFF
    movl %ebx, %eax
    movq stack, %rsp
    RETURN_TO_CALLER

    .globl cet_handler
cet_handler:
    endbr64
    popq %rbx
    orl $CET_FAULT, %ebx
    jmp recover

    .globl cet_nested, cet_exits, cet_changed, cet_interrupted, cet_jump, cet_wild, cet_no_track, cet_waits, cet_waits_in_vain
cet_nested:
    endbr64
    call 1f
    ret
1:  rdsspq %rax
    movq %rax, cet_ssp
    ret

/* To ring 0, to ring 3, and an instruction that is emulated. */
cet_exits:
    endbr64
    call 1f
    ret
1:  xorl %eax, %eax
    cpuid
    movw $0x3ff, %dx
    inb %dx, %al
    movl $CET_DEVICE, %esi
    movl (%rsi), %eax
    rdsspq %rax
    movq %rax, cet_ssp
    ret

cet_changed:
    endbr64
    call 1f
    ret
1:  leaq 2f(%rip), %rax
    movq %rax, (%rsp)
    ret
2:  ud2

cet_interrupted:
    endbr64
    call cet_raise
    rdsspq %rax
    movq %rax, cet_ssp
    ret

cet_jump:
    endbr64
    leaq 1f(%rip), %rax
    jmp *%rax
    ud2
1:  endbr64
    ret

cet_wild:
    endbr64
    leaq 1f(%rip), %rax
    jmp *%rax
    ud2
1:  nop
    ret

cet_no_track:
    endbr64
    leaq 1f(%rip), %rax
    notrack jmp *%rax
    ud2
1:  nop
    ret

/* The tracker set by WRMSR, which may exit: the next instruction is to be ENDBR64. */
cet_waits:
    endbr64
    movl $MSR_IA32_S_CET, %ecx
    movl $(CET_ENDBRANCH | CET_TRACKER), %eax
    xorl %edx, %edx
    wrmsr
    endbr64
    xorl %eax, %eax
    cpuid
    ret

cet_waits_in_vain:
    endbr64
    movl $MSR_IA32_S_CET, %ecx
    movl $(CET_ENDBRANCH | CET_TRACKER), %eax
    xorl %edx, %edx
    wrmsr
    cpuid
    ret

    .bss
    .balign 8
stack:
    .quad 0

    .section .note.GNU-stack, "", @progbits
