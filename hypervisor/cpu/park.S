/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the CPUs sleep that Lintel does not use (cpu/park.c): copied to a page below 1 MiB, because a SIPI starts a CPU in
 * real mode there. What a machine check finds there is an IDT of real mode, four bytes for each vector.
 */
#include "hypervisor/cpu/layout.h"

#define CR4_MCE        0x40
#define MSR_MCG_STATUS 0x17a
#define VECTOR_MC      18

        .section .rodata
        .code16
        .balign 4
        .global park_code, park_code_end, park_idt_base, park_vectors, park_awake
park_code:
        cli
        movw    %cs, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $PARK_PAGE_SIZE, %sp
        lidtl   park_idt - park_code
        movl    %cr4, %eax
        orl     $CR4_MCE, %eax
        movl    %eax, %cr4
        lock incl park_awake - park_code
1:      hlt
        jmp     1b

machine_check:                                  /* its banks are shared or nobody's: it only has to be over */
        pushl   %eax
        pushl   %ecx
        pushl   %edx
        movl    $MSR_MCG_STATUS, %ecx
        xorl    %eax, %eax
        xorl    %edx, %edx
        wrmsr
        popl    %edx
        popl    %ecx
        popl    %eax
nothing:                                        /* an NMI */
        iretw

        .balign 4
        .word   0
park_idt:
        .word   PARK_VECTORS * 4 - 1
park_idt_base:
        .long   0                               /* park.c: the physical address of park_vectors */
park_vectors:                                   /* park.c adds the segment */
        .rept   VECTOR_MC
        .long   nothing - park_code
        .endr
        .long   machine_check - park_code
        .set    PARK_VECTORS, (. - park_vectors) / 4
park_awake:
        .long   0                               /* how many CPUs have come here */
park_code_end:
