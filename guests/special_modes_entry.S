/* SPDX-License-Identifier: BSD-2-Clause */
/* Out of long mode, through 32 bits without paging and with PAE paging, and back; each step leaves a note. */
#include "guests/special_modes.h"

#include "guests/lib/modes.S"

#define EFER_SCE         0x001
#define EFER_LME         0x100
#define EFER_LMA         0x400
#define EFER_NXE         0x800
#define CR0_NE           0x20
#define CR4_PGE          0x80
#define SCRATCH_PORT     0x3ff

    .bss
    .balign 16
    .skip 0x400
stack32:
    .skip 0x400
sysenter_stack32:
    .skip 0x400
user_stack32:
resume32:
    .skip 4
next_note:
    .skip 4

    .text
    .code32

/* Notes EAX; EBX is lost. */
note:
    movl next_note, %ebx
    movl %eax, (%ebx)
    addl $4, next_note
    ret

    .macro NOTE value
    movl \value, %eax
    call note
    .endm

/* Notes the fault of an instruction, or 0. */
    .macro NOTE_TRY instruction:vararg
    movl $1f, resume32
    xorl %eax, %eax
    \instruction
    xorl %eax, %eax
1:  call note
    .endm

    .macro READ_EFER
    movl $MSR_IA32_EFER, %ecx
    rdmsr
    .endm

    .macro WRITE_MSR index, value
    movl $\index, %ecx
    movl $\value, %eax
    xorl %edx, %edx
    wrmsr
    .endm

/* Notes in which bits EFER did not take a value, over all values of these bits. LMA is never taken: it is 0 here. */
    .macro NOTE_EFER_VALUES bits
    movl $MSR_IA32_EFER, %ecx
    xorl %esi, %esi
    xorl %edi, %edi
1:  movl %esi, %eax
    xorl %edx, %edx
    wrmsr
    outb %al, $0x80
    rdmsr
    movl %esi, %ebx
    andl $~EFER_LMA, %ebx
    xorl %ebx, %eax
    orl %eax, %edi
    subl $\bits, %esi
    andl $\bits, %esi
    jnz 1b
    NOTE %edi
    .endm

    .macro LOAD_PDPTE pdpte
    movl $\pdpte, %eax
    movl %eax, pae_pointers + WINDOW_PDPTE
    .endm

    .code64

/* void legacy_run(void): notes[] is filled. Needs the GDT with CODE32, the 32-bit IDT in idt32_pointer, pae_pointers. */
    .globl legacy_run
legacy_run:
    movl $notes, next_note
    LEAVE_LONG stack32
    READ_EFER
    call note
    WRITE_MSR MSR_IA32_EFER, EFER_NXE | EFER_SCE
    outb %al, $0x80
    READ_EFER
    call note
    NOTE_EFER_VALUES (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
    WRITE_MSR MSR_IA32_EFER, EFER_LME | EFER_LMA | EFER_NXE
    READ_EFER
    call note

/* With LME, paging needs PAE. */
    xorl %eax, %eax
    movl %eax, %cr4
    movl $CR0_WITHOUT_PG | CR0_PG, %edx
    NOTE_TRY movl %edx, %cr0
    NOTE %cr0

    WRITE_MSR MSR_IA32_EFER, EFER_NXE | EFER_SCE
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $pae_pointers, %eax
    movl %eax, %cr3
    movl $CR0_WITHOUT_PG | CR0_PG, %eax
    movl %eax, %cr0
    NOTE WINDOW
    movl $SCRATCH_PORT, %edx
    movb $0x5a, %al
    outb %al, %dx
    movl $0, %eax
    inb %dx, %al
    call note
    NOTE DEVICE

    movl $0, IOAPIC
    movl $DATA_IOAPIC, %eax
    movl %eax, %ds
    ljmp $CODE32_L, $1f
1:  movl $1, 0x1000
    ljmp $CODE32, $1f
1:  movl $DATA32, %eax
    movl %eax, %ds
    NOTE IOAPIC

/* The PDPTEs are in the CPU until CR3 is loaded, or CR4.PGE changes. */
    movl pae_two, %eax
    movl %eax, pae_pointers + WINDOW_PDPTE
    invlpg WINDOW
    NOTE WINDOW
    movl %cr3, %eax
    movl %eax, %cr3
    NOTE WINDOW
    movl pae_one, %eax
    movl %eax, pae_pointers + WINDOW_PDPTE
    movl $CR4_PAE | CR4_PGE, %eax
    movl %eax, %cr4
    NOTE WINDOW

/* A reserved bit in a PDPTE: neither CR3 nor CR0.PG takes it. */
    orl $2, pae_pointers + WINDOW_PDPTE
    movl %cr3, %edx
    NOTE_TRY movl %edx, %cr3
    movl $NOWHERE, %edx
    NOTE_TRY movl %edx, %cr3
    NOTE %cr3
    movl $CR0_WITHOUT_PG, %eax
    movl %eax, %cr0
    movl $CR0_WITHOUT_PG | CR0_PG, %edx
    NOTE_TRY movl %edx, %cr0
    andl $~2, pae_pointers + WINDOW_PDPTE
    movl $CR0_WITHOUT_PG | CR0_PG, %eax
    movl %eax, %cr0
    NOTE WINDOW

/* With paging on the others can change, LME cannot. */
    NOTE_EFER_VALUES (EFER_SCE | EFER_LMA | EFER_NXE)
    movl $MSR_IA32_EFER, %ecx
    movl $EFER_LME | EFER_NXE, %edx
    movl $1f, resume32
    movl %edx, %eax
    xorl %edx, %edx
    wrmsr
    xorl %eax, %eax
1:  call note
    READ_EFER
    call note

    NOTE_TRY syscall
    WRITE_MSR MSR_IA32_SYSENTER_CS, 0
    NOTE_TRY sysenter
    WRITE_MSR MSR_IA32_SYSENTER_CS, CODE32
    WRITE_MSR MSR_IA32_SYSENTER_ESP, sysenter_stack32
    WRITE_MSR MSR_IA32_SYSENTER_EIP, from_ring3
    movl $user32, %edx
    movl $user_stack32, %ecx
    sysexit

user32:
    movl %cs, %esi
    movl %ss, %edi
    pushfl
    orl $0x8d5, (%esp)
    popfl
    sysenter

from_ring3:
    pushfl
    popl %ebp
    movl %esp, %edx
    NOTE %cs
    NOTE %ss
    NOTE %edx
    NOTE %ebp
    NOTE %esi
    NOTE %edi
    movl $stack32, %esp
    WRITE_MSR MSR_IA32_SYSENTER_CS, 0
    movl $user32, %edx
    movl $user_stack32, %ecx
    NOTE_TRY sysexit
    NOTE_TRY .byte 0x0f, 0x01, 0xf8 /* SWAPGS */

/* Back: paging off, LME on, paging on. */
    movl $CR0_WITHOUT_PG, %eax
    movl %eax, %cr0
    PREPARE_LONG
    READ_EFER
    call note

/* Long mode has no 16-bit TSS. Without NE the MOV exits. */
    LOAD_TASK TSS16
    movl $CR0_WITHOUT_PG | CR0_PG, %edx
    NOTE_TRY movl %edx, %cr0
    movl $(CR0_WITHOUT_PG | CR0_PG) & ~CR0_NE, %edx
    NOTE_TRY movl %edx, %cr0
    NOTE %cr0
    LOAD_TASK TASK_STATE
    RETURN_TO_LONG

/* 32-bit exceptions: EAX is FAULT and the vector, and the CPU goes on at resume32. */
    .code32
    .globl trap32_ud, trap32_gp, trap32_other
trap32_ud:
    movl $FAULT | 6, %eax
    jmp 1f
trap32_gp:
    movl $FAULT | 13, %eax
    addl (%esp), %eax /* the error code must be 0 */
    jmp 1f
trap32_other:
    movl $FAULT | 0xff, %eax
1:  movl $stack32, %esp
    jmp *resume32

    .code64
    .data
    .balign 8
    .globl idt32_pointer
idt32_pointer:
    .word 32 * 8 - 1
    .quad idt32

    .section .note.GNU-stack, "", @progbits
