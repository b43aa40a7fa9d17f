/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From GRUB's 32-bit hand-over (multiboot2 specification, "I386 machine state") to C in the higher half.
 *
 * GRUB may have put the image on any 2 MiB boundary below 4 GiB, so nothing here uses an absolute address.
 * The boot tables map the first 4 GiB twice, at 0 and at PHYS_OFFSET, and the image where it is linked; the
 * final tables (cpu/host_memory.c) replace them.
 */
#include "hypervisor/cpu/layout.h"

#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_BOOT_MAGIC   0x36d76289

#define TAG_INFORMATION_REQUEST 1
#define TAG_MODULE_ALIGNMENT    6
#define TAG_RELOCATABLE         10

        .section .multiboot, "a"
        .balign 8
header:
        .long MULTIBOOT2_HEADER_MAGIC
        .long 0                                 /* architecture: i386 */
        .long header_end - header
        .long -(MULTIBOOT2_HEADER_MAGIC + (header_end - header))

        .balign 8
        .short TAG_INFORMATION_REQUEST, 0
        .long 20
        .long 1, 3, 6                           /* command line, modules, memory map */

        .balign 8
        .short TAG_MODULE_ALIGNMENT, 0
        .long 8

        .balign 8
        .short TAG_RELOCATABLE, 0
        .long 24
        .long LARGE_PAGE_SIZE                   /* lowest address */
        .long 0xffffffff                        /* highest address */
        .long LARGE_PAGE_SIZE                   /* alignment */
        .long 1                                 /* as low as possible */

        .balign 8
        .short 0, 0
        .long 8
header_end:

        .text
        .code32
        .global boot_entry
boot_entry:
        cli
        cld
        cmpl    $MULTIBOOT2_BOOT_MAGIC, %eax
        jne     .Lhang

        /* Where are we? There is no stack yet: the information's reserved word serves as one. */
        movl    4(%ebx), %edx
        leal    8(%ebx), %esp
        call    1f
1:      popl    %ebp
        movl    %edx, 4(%ebx)
        subl    $(1b - IMAGE_BASE), %ebp       /* ebp: the image's physical address */

        movl    %ebx, %esi
        movl    $0x80000000, %eax
        cpuid
        cmpl    $0x80000001, %eax
        jb      boot_no_long_mode
        movl    $0x80000001, %eax
        cpuid
        testl   $0x20000000, %edx               /* long mode */
        jz      boot_no_long_mode
        movl    %esi, %ebx

        leal    (boot_pml4 - IMAGE_BASE)(%ebp), %edi
        leal    (boot_pdpt_low - IMAGE_BASE + 3)(%ebp), %eax
        movl    %eax, (%edi)
        movl    %eax, (PML4_SLOT(PHYS_OFFSET) * 8)(%edi)
        leal    (boot_pdpt_image - IMAGE_BASE + 3)(%ebp), %eax
        movl    %eax, (PML4_SLOT(IMAGE_BASE) * 8)(%edi)
        movl    %edi, %cr3

        leal    (boot_pdpt_low - IMAGE_BASE)(%ebp), %edi
        leal    (boot_pd_low - IMAGE_BASE + 3)(%ebp), %eax
        movl    $4, %ecx
2:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x1000, %eax
        loop    2b

        leal    (boot_pd_low - IMAGE_BASE)(%ebp), %edi
        movl    $0x83, %eax                     /* present, writable, large */
        movl    $(4 * 512), %ecx
3:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $LARGE_PAGE_SIZE, %eax
        loop    3b

        leal    (boot_pdpt_image - IMAGE_BASE)(%ebp), %edi
        leal    (boot_pd_image - IMAGE_BASE + 3)(%ebp), %eax
        movl    %eax, (PDPT_SLOT(IMAGE_BASE) * 8)(%edi)
        leal    (boot_pd_image - IMAGE_BASE)(%ebp), %edi
        leal    0x83(%ebp), %eax
        movl    %eax, (%edi)

        movl    $0x20, %eax                     /* PAE, and nothing of the firmware's: with LA57 there would be a fifth level */
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx               /* EFER: SCE, LME; NXE may fault (cpu/init.c) */
        rdmsr
        orl     $0x101, %eax
        wrmsr
        movl    %cr0, %eax
        andl    $~0x6000000c, %eax              /* CD, NW, EM, TS off: a cached machine whose FPU is not trapped yet */
        orl     $0x80010023, %eax               /* PG, WP, NE, MP, PE */
        movl    %eax, %cr0

        leal    (boot_gdt - IMAGE_BASE)(%ebp), %eax
        leal    (boot_gdt_pointer - IMAGE_BASE)(%ebp), %ecx
        movl    %eax, 2(%ecx)
        lgdt    (%ecx)
        leal    (4f - IMAGE_BASE)(%ebp), %eax
        leal    (boot_far_pointer - IMAGE_BASE)(%ebp), %ecx
        movl    %eax, (%ecx)
        ljmp    *(%ecx)
.Lhang:
        hlt
        jmp     .Lhang

        .code64
4:      movabsq $5f, %rax
        jmp     *%rax
5:      xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        leaq    boot_cpu + CPU_BLOCK_SIZE(%rip), %rsp
        movl    %ebx, %edi                      /* boot_main(information, image), physical addresses */
        movl    %ebp, %esi
        xorl    %ebp, %ebp
        call    boot_main
6:      hlt
        jmp     6b

        .data
        .balign 8
boot_gdt:
        .quad   0
        .quad   0x00209b0000000000
boot_gdt_pointer:
        .short  15
        .quad   0
boot_far_pointer:
        .long   0
        .short  8

        .section .bss.aligned, "aw", @nobits
        .balign 4096
        .global boot_pml4
boot_pml4:
        .skip 4096
boot_pdpt_low:
        .skip 4096
boot_pdpt_image:
        .skip 4096
boot_pd_image:
        .skip 4096
boot_pd_low:
        .skip 4 * 4096
