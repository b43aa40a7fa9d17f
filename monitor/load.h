/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a guest: its kernel, a bzImage or an ELF executable, an initrd and a command line.
 *
 * Either is entered as the Linux 64-bit boot protocol says: long mode, paging with the first 4 GiB
 * mapped to themselves, flat segments, interrupts off, RSI at struct boot_params. There is no
 * stack.
 */
#ifndef MONITOR_LOAD_H
#define MONITOR_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/boot_params.h"
#include "monitor/guest_memory.h"

#define LOAD_ERROR_SIZE 256

/* Below 1 MiB, in guest-physical memory: what the loader leaves for the kernel. */
#define LOAD_GDT         0x1000ULL
#define LOAD_PARAMS      0x2000ULL
#define LOAD_CMDLINE     0x3000ULL
#define LOAD_PAGE_TABLES 0x4000ULL /* PML4, PDPT and four page directories */
#define LOAD_LOW_RAM_END 0xa0000ULL
#define LOAD_KERNEL_MIN  0x100000ULL
#define LOAD_DEVICES     0xfec00000ULL /* the end of the PCI bus's part of the hole */

struct load_file {
    const uint8_t *bytes; /* NULL: there is none */
    uint64_t size;
};

struct load {
    /* What is wanted. */
    const struct guest_memory *memory;
    struct load_file kernel, initrd;
    const char *cmdline;
    uint64_t rsdp; /* guest-physical address of the ACPI tables' root */

    /* What became of it. */
    uint64_t entry;
    uint64_t kernel_end; /* the first address behind the kernel and what it needs at once */
    uint64_t initrd_max; /* the highest address that an initrd may reach */
    struct boot_params params;
    char error[LOAD_ERROR_SIZE]; /* what, where, and what to do about it */
};

/* Loads everything; false: load->error is a line that says why not. */
bool load_guest(struct load *load);

/* The state of a vCPU that starts in the loaded guest. */
struct guest_state load_state(const struct load *load);

/* Formats load->error. Returns false, so that a check can end by it. */
bool load_fail(struct load *load, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes `size` bytes of RAM zero; at the first start they are. */
void load_clear(const struct load *load, uint64_t physical, uint64_t size);

/* The kinds of kernel: whether it is one, and how it is placed into memory. */
bool load_linux_matches(const struct load *load);
bool load_linux(struct load *load);
bool load_elf_matches(const struct load *load);
bool load_elf(struct load *load);

#endif
