/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a test kernel starts, and where its exceptions and interrupts arrive.
 *
 * start64 is the ELF entry and what the Linux 64-bit boot protocol jumps to. start32 is what GRUB jumps to
 * without a hypervisor (multiboot2): it only switches to long mode. From there on both are in one known state.
 */
#include "guests/lib/modes.S"

#define MULTIBOOT2_MAGIC   0xe85250d6
#define TAG_ENTRY_ADDRESS  3

#define CR0_KNOWN          0x80010033 /* PG, WP, NE, ET, MP, PE */
#define EFER_KNOWN         0x00000d00 /* NXE, LMA, LME */

#define PAGE_LARGE         0x083 /* page size, write, present */
#define PAGE_LARGE_DEVICE  0x09b /* the same, cache-disable and write-through */
#define PAGE_TABLE         0x007 /* user, write, present: the leaves decide */
#define LARGE_PAGES_IN_GIB 512

    .section .multiboot, "a"
    .balign 8
header:
    .long MULTIBOOT2_MAGIC, 0, header_end - header
    .long -(MULTIBOOT2_MAGIC + (header_end - header))
    .word TAG_ENTRY_ADDRESS, 0
    .long 12, start32
    .balign 8
    .word 0, 0
    .long 8
header_end:

    .section .text.start, "ax"
    .code32
start32:
    cli
    cld
    PREPARE_LONG
    movl $CR0_KNOWN, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $KERNEL_CODE, $from_multiboot

    .code64
from_multiboot:
    movl %ebx, %ebx
    movq %rbx, multiboot_info
    xorl %esi, %esi

    .globl start64
start64:
    cli
    cld
    movl $CR4_PAE, %eax
    movq %rax, %cr4
    movl $page_map, %eax
    movq %rax, %cr3
    movl $MSR_IA32_EFER, %ecx
    movl $EFER_KNOWN, %eax
    xorl %edx, %edx
    wrmsr
    movl $CR0_KNOWN, %eax
    movq %rax, %cr0
    movl $stack_end, %esp
    lgdt gdt_pointer
    pushq $KERNEL_CODE
    pushq $1f
    lretq
1:  movl $KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebp, %ebp
    movq %rsi, %rdi
    movq multiboot_info, %rsi
    call guest_start
2:  hlt
    jmp 2b

/* One stub for each vector, STUB_SIZE bytes apart. Vectors without an error code push a zero. */
    .text
    .balign STUB_SIZE
    .globl interrupt_stubs
interrupt_stubs:
    .set vector, 0
    .rept 32
    .balign STUB_SIZE
    .if !((ERROR_CODE_VECTORS >> vector) & 1)
    pushq $0
    .endif
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr
    .rept 224
    .balign STUB_SIZE
    pushq $0
    pushq $vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr

interrupt_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call interrupt_dispatch
    movq %rbp, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp /* the vector and the error code */
    iretq

    .data
    .balign 8
multiboot_info:
    .quad 0

    .balign 16
    .globl gdt
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* KERNEL_CODE */
    .quad 0x00cf93000000ffff /* KERNEL_DATA */
    .quad 0x00cffb000000ffff /* USER_CODE32 */
    .quad 0x00cff3000000ffff /* USER_DATA */
    .quad 0x00affb000000ffff /* USER_CODE */
    .quad 0x00cff3000000ffff /* USER_DATA_SYSEXIT */
    .quad 0, 0               /* TASK_STATE, filled by interrupt_init */
gdt_end:
    .globl gdt_pointer
gdt_pointer:
    .word gdt_end - gdt - 1
    .quad gdt

/* The first 4 GiB, linear = physical, by large pages for the kernel alone; the last GiB holds devices. */
    .balign 4096
    .globl page_map
page_map:
    .quad pointers + PAGE_TABLE
    .fill 511, 8, 0
pointers:
    .quad directories + PAGE_TABLE, directories + 0x1000 + PAGE_TABLE
    .quad directories + 0x2000 + PAGE_TABLE, directories + 0x3000 + PAGE_TABLE
    .fill 508, 8, 0
directories:
    .set page, 0
    .rept 3 * LARGE_PAGES_IN_GIB
    .quad page * 0x200000 + PAGE_LARGE
    .set page, page + 1
    .endr
    .rept LARGE_PAGES_IN_GIB
    .quad page * 0x200000 + PAGE_LARGE_DEVICE
    .set page, page + 1
    .endr

    .bss
    .balign 16
    .skip 0x8000
    .globl stack_end
stack_end:

    .section .note.GNU-stack, "", @progbits
