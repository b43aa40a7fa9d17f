/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a guest: its kernel, a bzImage or an ELF executable, an initrd and a command line.
 *
 * Either is entered as the Linux 64-bit boot protocol says: long mode, paging with the first 4 GiB
 * mapped to themselves, flat segments, interrupts off, RSI at struct boot_params. There is no
 * stack.
 */
#pragma once

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

/* What of a VM's description cannot be: its keys. */
enum load_part { LOAD_PART_KERNEL, LOAD_PART_INITRD, LOAD_PART_CMDLINE, LOAD_PART_MEMORY };

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
    enum load_part wrong;        /* after a failure: what cannot be, */
    char error[LOAD_ERROR_SIZE]; /* why, and what to do about it */
};

/* Loads everything; false: load->wrong and load->error say why not. lintel check calls it, too. */
bool load_guest(struct load *load);

/* The key of a part, as a description has it. */
const char *load_part_name(enum load_part part);

/* The state of a vCPU that starts in the loaded guest. */
struct guest_state load_state(const struct load *load);

/* Says what is wrong. Returns false, so that a check can end by it. */
bool load_fail(struct load *load, enum load_part part, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Where the kernel's `size` bytes from a guest-physical address are mapped; NULL, with what is
 * wrong in `load`, where the VM has no memory for them. What they are for is told.
 */
uint8_t *load_room(struct load *load, const char *what, uint64_t physical, uint64_t size);

/* Copies a file's bytes to memory of `size` bytes, and makes the rest zero: at a restart it is not.
 * In load_place.c of its own: lintel check places nothing. */
void load_place(uint8_t *to, uint64_t size, const uint8_t *bytes, uint64_t count);

/* The kinds of kernel: whether it is one, and how it is placed into memory. */
bool load_linux_matches(const struct load *load);
bool load_linux(struct load *load);
bool load_elf_matches(const struct load *load);
bool load_elf(struct load *load);
