/* SPDX-License-Identifier: BSD-2-Clause */
/* What GRUB tells us: the boot information of the multiboot2 specification. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/plan.h"
#include "lib/acpi.h"
#include "lib/phys_map.h"

#define BOOT_MODULES_MAX  (PLAN_MODULE_FIRST_FILE + PLAN_MAX_FILES)
#define BOOT_CMDLINE_SIZE 512

struct boot_info {
    char cmdline[BOOT_CMDLINE_SIZE];
    uint32_t module_count;
    struct phys_range modules[BOOT_MODULES_MAX];
    struct phys_map free;   /* available RAM, before anything is taken out of it */
    struct acpi_rsdp rsdp;  /* a copy; all zero: there is none */
    struct phys_range self; /* the boot information itself */
};

/*
 * Reads the boot information at `information`, which lies at physical address `phys`, into *info.
 * Returns NULL, or a sentence that says what is wrong with it.
 */
const char *multiboot_read(const void *information, uint64_t phys, struct boot_info *info);
