/* SPDX-License-Identifier: BSD-2-Clause */
/* Out of long mode, to another task, and back from wherever that ends. */
#include "guests/tasks.h"

#include "guests/lib/modes.S"

#define DR7_RESET 0x400
#define APIC_ICR  0xfee00300

    .bss
    .balign 16
    .skip 0x1000
    .globl main_stack, other_stack, ring0_stack
main_stack:
    .skip 0x1000
other_stack:
    .skip 0x1000
ring0_stack:
trap_vector:
    .skip 8

    .text
    .code64

/* void task_visit(void): by `how`, with the registers of `before` and the paging of `cr`; `records` are filled. */
    .globl task_visit
task_visit:
    LEAVE_LONG main_stack
    movl $DATA32, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl $MSR_IA32_EFER, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    movl cr + 8, %eax
    movl %eax, %cr4
    movl cr + 4, %eax
    movl %eax, %cr3
    movl cr, %eax
    movl %eax, %cr0
    movl cr + 12, %eax
    movl %eax, %dr7
    xorl %eax, %eax
    movl %eax, %dr6
    lldt %ax
    movl $MAIN_TASK, %eax
    ltr %ax
    pushl before + 32
    movl before, %eax
    movl before + 4, %ecx
    movl before + 8, %edx
    movl before + 12, %ebx
    movl before + 20, %ebp
    movl before + 24, %esi
    movl before + 28, %edi
    popfl
    jmp *how

    .globl by_jmp, by_call, by_iret, by_int, by_ud2, by_bad_mov, by_ipi, by_int3
by_jmp:
    ljmp *target
    jmp resumed
by_call:
    lcall *target
    jmp resumed
by_iret:
    iretl
    jmp resumed
by_int:
    int $INT_VECTOR
    jmp resumed
by_ud2:
    ud2
    jmp resumed
by_bad_mov:
    movl %eax, %gs
    jmp resumed
by_ipi:
    movl $IPI_VECTOR | 0x44000, APIC_ICR
    sti
    nop
    jmp resumed
by_int3:
    int3
    jmp resumed

/* SS is flat and writable wherever this is; no other segment need be. */
    .macro RECORD to, vector
    movl %eax, %ss:\to + RECORD_GPR
    movl %ecx, %ss:\to + RECORD_GPR + 4
    movl %edx, %ss:\to + RECORD_GPR + 8
    movl %ebx, %ss:\to + RECORD_GPR + 12
    movl %esp, %ss:\to + RECORD_GPR + 16
    movl %ebp, %ss:\to + RECORD_GPR + 20
    movl %esi, %ss:\to + RECORD_GPR + 24
    movl %edi, %ss:\to + RECORD_GPR + 28
    .set word, 0
    .rept 6
    movl word(%esp), %eax
    movl %eax, %ss:\to + RECORD_STACK + word
    .set word, word + 4
    .endr
    pushfl
    popl %ss:\to + RECORD_FLAGS
    movw %es, %ss:\to + RECORD_SEGMENT
    movw %cs, %ss:\to + RECORD_SEGMENT + 4
    movw %ss, %ss:\to + RECORD_SEGMENT + 8
    movw %ds, %ss:\to + RECORD_SEGMENT + 12
    movw %fs, %ss:\to + RECORD_SEGMENT + 16
    movw %gs, %ss:\to + RECORD_SEGMENT + 20
    sldt %ss:\to + RECORD_SEGMENT + 24
    str %ss:\to + RECORD_SEGMENT + 28
    movl %cr0, %eax
    movl %eax, %ss:\to + RECORD_CR0
    movl %cr3, %eax
    movl %eax, %ss:\to + RECORD_CR3
    movl %dr6, %eax
    movl %eax, %ss:\to + RECORD_DR6
    movl %dr7, %eax
    movl %eax, %ss:\to + RECORD_DR7
    movl %ss:WINDOW, %eax
    movl %eax, %ss:\to + RECORD_WINDOW
    movl \vector, %eax
    movl %eax, %ss:\to + RECORD_VECTOR
    .endm

    .globl task_land, task_user
task_land:
    RECORD records, $-1
    cmpl $0, %ss:returns
    je leave
    iretl
task_user:
    ud2

resumed:
    RECORD records + RECORD_SIZE, $-1
    jmp leave

/* A gate's handler for each vector, 16 bytes apart. */
    .balign 16
    .globl task_traps
task_traps:
    .set vector, 0
    .rept 32
    .balign 16
    movl $vector, %ss:trap_vector
    jmp trapped
    .set vector, vector + 1
    .endr
trapped:
    RECORD records + RECORD_SIZE, %ss:trap_vector
    jmp leave

/* Back: paging off, LME on, paging on. */
leave:
    movl $DATA32, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $main_stack, %esp
    pushl $2
    popfl
    movl $CR0_WITHOUT_PG, %eax
    movl %eax, %cr0
    movl $DR7_RESET, %eax
    movl %eax, %dr7
    PREPARE_LONG
    LOAD_TASK TASK_STATE
    RETURN_TO_LONG

    .data
    .balign 8
idt32_pointer:
    .word 128 * 8 - 1
    .quad idt32

    .section .note.GNU-stack, "", @progbits
