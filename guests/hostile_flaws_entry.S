/* SPDX-License-Identifier: BSD-2-Clause */
/* Of hostile_flaws.c: 32-bit code in ring 3, with a stack that is not aligned. */
#define CODE32       0x08
#define DATA32       0x10
#define USER_CODE    (0x18 | 3)
#define USER_DATA    (0x20 | 3)
#define CR0_AM_NO_PG 0x00050033
#define EFLAGS_AC_IF 0x00040202
#define VECTOR_AC    17
#define GATE_USER    0xee00

    .data
    .balign 8
descriptors:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
descriptors_end:
gates:
    .skip 8 * (VECTOR_AC + 1)
gates_end:
gdt32:
    .word descriptors_end - descriptors - 1
    .quad descriptors
idt32:
    .word gates_end - gates - 1
    .quad gates

    .bss
    .balign 16
    .skip 0x1000
stack32:

    .text
    .code64
/* noreturn void flaws_alignment(void): the delivery of an #AC is not aligned either, so that it raises the next one (CVE-2015-5307) */
    .globl flaws_alignment
flaws_alignment:
    lgdt gdt32
    lidt idt32
    pushq $CODE32
    pushq $1f
    lretq
    .code32
1:  movl $DATA32, %eax
    movl %eax, %ds
    movl %eax, %ss
    movl $stack32, %esp
    movl $CR0_AM_NO_PG, %eax
    movl %eax, %cr0
    movl $3f, %eax
    movw %ax, gates + 8 * VECTOR_AC
    movw $USER_CODE, gates + 8 * VECTOR_AC + 2
    movw $GATE_USER, gates + 8 * VECTOR_AC + 4
    shrl $16, %eax
    movw %ax, gates + 8 * VECTOR_AC + 6
    pushl $USER_DATA
    pushl $stack32 - 0x7fe
    pushl $EFLAGS_AC_IF
    pushl $USER_CODE
    pushl $2f
    iretl
2:  pushl %eax
    jmp 2b
3:  addl $4, %esp
    iretl
