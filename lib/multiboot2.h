/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot information of the multiboot2 specification: its size and a reserved word, laid out like
 * a tag, and tags, each 8-byte aligned, with its type and size first. */
#pragma once

#include <stdint.h>

enum multiboot_type {
    MULTIBOOT_END = 0,
    MULTIBOOT_CMDLINE = 1,
    MULTIBOOT_MODULE = 3,
    MULTIBOOT_MEMORY = 6,
    MULTIBOOT_RSDP_1 = 14,
    MULTIBOOT_RSDP_2 = 15,
};

struct multiboot_tag {
    uint32_t type, size;
};

/* Behind it are the module's words. */
struct multiboot_module {
    struct multiboot_tag tag;
    uint32_t start, end;
};

/* Behind it are the entries. */
struct multiboot_memory {
    struct multiboot_tag tag;
    uint32_t entry_size, entry_version;
};

struct multiboot_memory_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};

#define MULTIBOOT_AVAILABLE 1
