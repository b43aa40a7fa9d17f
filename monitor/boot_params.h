/* SPDX-License-Identifier: BSD-2-Clause */
/* The Linux boot protocol's structures, as far as a 64-bit loader uses them (Linux, "The Linux/x86
 * Boot Protocol"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SETUP_HEADER_OFFSET  0x1f1 /* in a bzImage, and in struct boot_params */
#define SETUP_BOOT_FLAG      0xaa55
#define SETUP_MAGIC          0x53726448u /* "HdrS" */
#define SETUP_VERSION_64     0x020c      /* the first with xloadflags */
#define SETUP_LOADER_UNKNOWN 0xff
#define SETUP_LOADED_HIGH    (1u << 0)
#define XLF_KERNEL_64        (1u << 0)
#define SETUP_PARAGRAPH      16ULL /* bytes; syssize counts them */
#define SETUP_ENTRY_64       0x200 /* from the start of the loaded kernel */

struct setup_header {
    uint8_t setup_sects;
    uint16_t root_flags;
    uint32_t syssize; /* of the kernel behind the setup sectors, in paragraphs */
    uint16_t ram_size;
    uint16_t vid_mode;
    uint16_t root_dev;
    uint16_t boot_flag;
    uint16_t jump; /* its second byte: where this header ends, from 0x202 on */
    uint32_t header;
    uint16_t version;
    uint32_t realmode_swtch;
    uint16_t start_sys_seg;
    uint16_t kernel_version;
    uint8_t type_of_loader;
    uint8_t loadflags;
    uint16_t setup_move_size;
    uint32_t code32_start;
    uint32_t ramdisk_image;
    uint32_t ramdisk_size;
    uint32_t bootsect_kludge;
    uint16_t heap_end_ptr;
    uint8_t ext_loader_ver;
    uint8_t ext_loader_type;
    uint32_t cmd_line_ptr;
    uint32_t initrd_addr_max;
    uint32_t kernel_alignment;
    uint8_t relocatable_kernel;
    uint8_t min_alignment;
    uint16_t xloadflags;
    uint32_t cmdline_size; /* without the terminating zero */
    uint32_t hardware_subarch;
    uint64_t hardware_subarch_data;
    uint32_t payload_offset;
    uint32_t payload_length;
    uint64_t setup_data;
    uint64_t pref_address;
    uint32_t init_size; /* memory the kernel needs from its start on until it can look for itself */
    uint32_t handover_offset;
    uint32_t kernel_info_offset;
} __attribute__((packed));

#define E820_MAX      128
#define E820_RAM      1
#define E820_RESERVED 2

struct e820_entry {
    uint64_t address;
    uint64_t size;
    uint32_t type;
} __attribute__((packed));

struct boot_params {
    uint8_t screen_info[0x70];
    uint64_t acpi_rsdp_addr;
    uint8_t unused_078[0x1e8 - 0x078];
    uint8_t e820_entries;
    uint8_t unused_1e9[SETUP_HEADER_OFFSET - 0x1e9];
    struct setup_header hdr;
    uint8_t unused_26c[0x2d0 - 0x26c];
    struct e820_entry e820_table[E820_MAX];
    uint8_t unused_cd0[0x1000 - 0xcd0];
} __attribute__((packed));

_Static_assert(offsetof(struct setup_header, header) == 0x202 - SETUP_HEADER_OFFSET,
               "the protocol's layout");
_Static_assert(offsetof(struct setup_header, pref_address) == 0x258 - SETUP_HEADER_OFFSET,
               "the protocol's layout");
_Static_assert(sizeof(struct setup_header) == 0x26c - SETUP_HEADER_OFFSET, "the protocol's layout");
_Static_assert(offsetof(struct boot_params, e820_table) == 0x2d0, "the protocol's layout");
_Static_assert(sizeof(struct boot_params) == 0x1000, "the protocol's layout");
