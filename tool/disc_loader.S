/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the BIOS of an emulated machine starts from its disc (disc.c): reads the hypervisor and its modules to where they belong, and
 * hands the machine over as GRUB does (multiboot2 specification, "I386 machine state"). disc.c has written the boot information but
 * for what only the firmware knows, the memory map and ACPI's root pointer, which are added behind it.
 */
#define MULTIBOOT2_BOOT_MAGIC 0x36d76289
#define TAG_END        0
#define TAG_MEMORY_MAP 6
#define TAG_RSDP_1     14       /* ACPI 1.0's, of 20 bytes: the newer ones begin with it */
#define RSDP_SIZE      20

#define SECTOR_BYTES   2048
#define SECTORS_AT_ONCE 16
#define BUFFER         0x10000  /* for as many sectors, below 1 MiB, where the BIOS reads to */
#define MEMORY_MAP     0x1000
#define MAP_ENTRY      24
#define SMAP           0x534d4150
#define FLAT_CODE      8
#define FLAT_DATA      16

        .text
        .code16
        .globl loader
loader:                                 /* linked at 7c00h, where it is */
        jmp     start

        .balign 8                       /* struct loader_fields in disc.c */
lba:    .long 0
sectors:
        .long 0
address:
        .long 0
entry:  .long 0
information:
        .long 0

        .balign 4
packet: .byte 16, 0                     /* of int 13h, function 42h */
        .word 0, 0, BUFFER >> 4
packet_lba:
        .quad 0

start:  cli
        cld
        ljmp    $0, $1f
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movl    $loader, %esp
        movb    $2, %al
        outb    %al, $0x92              /* A20 */
next_sectors:
        movl    sectors, %ebp
        testl   %ebp, %ebp
        jz      read_memory_map
        cmpl    $SECTORS_AT_ONCE, %ebp
        jbe     2f
        movl    $SECTORS_AT_ONCE, %ebp
2:      movl    lba, %eax
        movl    %eax, packet_lba
        movw    %bp, packet + 2
        movw    $packet, %si
        movb    $0x42, %ah
        pushw   %dx                     /* the BIOS's number of the drive */
        pushl   %ebp
        int     $0x13
        popl    %ebp
        popw    %dx
        jc      no_disc
        addl    %ebp, lba
        subl    %ebp, sectors
        call    flat
        movl    $BUFFER, %esi
        movl    address, %edi
        imull   $(SECTOR_BYTES / 4), %ebp, %ecx
        addr32 rep movsl
        movl    %edi, address
        jmp     next_sectors

no_disc:
        int     $0x18                   /* the BIOS says that nothing can be booted */

/* Into DS and ES segments of 4 GiB, which stay so in real mode until the BIOS makes them shorter. */
flat:   cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        movw    $FLAT_DATA, %cx
        movw    %cx, %ds
        movw    %cx, %es
        andb    $~1, %al
        movl    %eax, %cr0
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        ret

read_memory_map:
        xorl    %ebx, %ebx
        movw    %bx, %ds
        movw    %bx, %es
        movl    $MEMORY_MAP, %edi
1:      movl    $0xe820, %eax
        movl    $SMAP, %edx
        movl    $MAP_ENTRY, %ecx
        int     $0x15
        jc      2f
        addw    $MAP_ENTRY, %di
        testl   %ebx, %ebx
        jnz     1b
2:      cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $FLAT_CODE, $complete

        .code32
complete:                               /* the boot information */
        movw    $FLAT_DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        leal    -MEMORY_MAP(%edi), %ecx
        movl    information, %ebx
        movl    (%ebx), %edi            /* its size */
        addl    %ebx, %edi

        movl    $TAG_MEMORY_MAP, (%edi)
        leal    16(%ecx), %eax
        movl    %eax, 4(%edi)
        movl    $MAP_ENTRY, 8(%edi)
        movl    $0, 12(%edi)
        addl    $16, %edi
        movl    $MEMORY_MAP, %esi
        rep movsb

        movl    $0xe0000, %esi
1:      cmpl    $0x20445352, (%esi)     /* "RSD " */
        jne     2f
        cmpl    $0x20525450, 4(%esi)    /* "PTR " */
        je      3f
2:      addl    $16, %esi
        cmpl    $0x100000, %esi
        jb      1b
        jmp     4f
3:      movl    $TAG_RSDP_1, (%edi)
        movl    $(8 + RSDP_SIZE), 4(%edi)
        addl    $8, %edi
        movl    $RSDP_SIZE, %ecx
        rep movsb
        addl    $7, %edi
        andl    $~7, %edi

4:      movl    $TAG_END, (%edi)
        movl    $8, 4(%edi)
        addl    $8, %edi
        subl    %ebx, %edi
        movl    %edi, (%ebx)
        movl    $MULTIBOOT2_BOOT_MAGIC, %eax
        jmp     *entry

        .balign 8
gdt:    .quad 0
        .quad 0x00cf9a000000ffff        /* code of 4 GiB */
        .quad 0x00cf92000000ffff        /* data of 4 GiB */
gdt_pointer:
        .word gdt_pointer - gdt - 1
        .long gdt
