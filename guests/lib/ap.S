/* SPDX-License-Identifier: BSD-2-Clause */
/* Where another CPU begins: in real mode, at AP_PAGE, to which this is copied. It says what it has found in its registers first. */
#include "guests/lib/modes.S"
#include "guests/lib/ap.h"

#define PLACE(what) (what - ap_begin)

    .section .rodata.ap, "a"
    .balign 16
    .globl ap_begin
ap_begin:
    .code16
    movl %eax, %cs:PLACE(found)
    movl %ebx, %cs:PLACE(found) + 4
    movl %ecx, %cs:PLACE(found) + 8
    movl %edx, %cs:PLACE(found) + 12
    movl %esi, %cs:PLACE(found) + 16
    movl %edi, %cs:PLACE(found) + 20
    movl %ebp, %cs:PLACE(found) + 24
    movl %esp, %cs:PLACE(found) + 28
    movw %cs, %ax
    movw %ds, %bx
    movw %ss, %cx
    movw %ax, %ds
    movw %ax, %ss
    movl $PLACE(found_end) + 64, %esp
    pushfl
    popl %eax
    movl %eax, PLACE(found) + 32
    .set at, 36
    .irp reg, cr0, cr2, cr3, cr4, db0, db1, db2, db3, db6, db7
    movl %\reg, %eax
    movl %eax, PLACE(found) + at
    .set at, at + 4
    .endr
    movw %cs, PLACE(found) + 76
    movw %bx, PLACE(found) + 78
    movw %es, PLACE(found) + 80
    movw %fs, PLACE(found) + 82
    movw %gs, PLACE(found) + 84
    movw %cx, PLACE(found) + 86
    sgdtl PLACE(found) + 88
    sidtl PLACE(found) + 94
    movl $MSR_IA32_EFER, %ecx
    rdmsr
    movl %eax, PLACE(found) + 104
    movl %edx, PLACE(found) + 108
    movl $0x1b, %ecx
    rdmsr
    movl %eax, PLACE(found) + 112
    movl %edx, PLACE(found) + 116

    lgdtl PLACE(pointer)
    movl $0x11, %eax
    movl %eax, %cr0
    ljmpl $0x08, $AP_PAGE + PLACE(flat)
    .code32
flat:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    PREPARE_LONG
    movl $CR0_WITHOUT_PG | CR0_PG, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $KERNEL_CODE, $ap_long

    .balign 8
flat_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
pointer:
    .word pointer - flat_gdt - 1
    .long AP_PAGE + PLACE(flat_gdt)
    .balign 8
    .globl ap_found
found:
ap_found:
    .fill 120, 1, 0
found_end:

    .code16
    .globl ap_on_nmi
ap_on_nmi:
    incl %cs:PLACE(nmis)
    iretw
    .balign 4
    .globl ap_nmis
nmis:
ap_nmis:
    .long 0
    .globl ap_end
ap_end:

    .text
    .code64
ap_long:
    movl $KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebp, %ebp
    movq ap_stack, %rsp
    call ap_arrive
1:  hlt
    jmp 1b
