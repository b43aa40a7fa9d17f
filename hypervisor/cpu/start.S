/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How another CPU comes to C (cpu/cpus.c): a SIPI starts it in real mode in a page below 1 MiB, to which the first part is
 * copied. It goes to long mode at once, by the boot tables, which show that page where it is. The final ones want NX, and are for
 * cpu_arrived.
 */
#include "hypervisor/cpu/layout.h"

        .section .rodata
        .code16
        .balign 8
        .global start_code, start_code_end, start_tables
start_code:
        cli
        movw    %cs, %ax
        movw    %ax, %ds
        movzwl  %ax, %ebx
        shll    $4, %ebx                        /* where this page is */
        leal    start_gdt - start_code(%ebx), %eax
        movl    %eax, start_gdt_pointer - start_code + 2
        leal    start_long - start_code(%ebx), %eax
        movl    %eax, start_far_pointer - start_code
        lgdtl   start_gdt_pointer - start_code
        movl    start_tables - start_code, %eax
        movl    %eax, %cr3
        movl    $0x20, %eax                     /* the rest as in boot/entry.S */
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x101, %eax
        wrmsr
        movl    %cr0, %eax
        andl    $~0x6000000c, %eax
        orl     $0x80010023, %eax
        movl    %eax, %cr0
        ljmpl   *(start_far_pointer - start_code)

        .code64
start_long:
        movabsq $start_high, %rax
        jmp     *%rax

        .balign 8
start_gdt:
        .quad   0
        .quad   0x00209b0000000000
start_gdt_pointer:
        .short  15
        .long   0
start_far_pointer:
        .long   0
        .short  8
        .balign 4
start_tables:                                   /* cpus.c: the boot tables' physical address */
        .long   0
start_code_end:

        .text
start_high:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xchgq   start_stack(%rip), %rax         /* only one can have it */
        testq   %rax, %rax
        jz      2f
        movq    %rax, %rsp
        xorl    %ebp, %ebp
        call    cpu_arrived
2:      cli
        hlt
        jmp     2b
