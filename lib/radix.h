/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map from 48-bit addresses to physical memory in the CPU's 4-level table form: what EPT
 * (vmx/ept.h) and host paging (cpu/paging.h) have in common. Maps with the largest pages that fit
 * and are allowed; splits large pages.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Leaf functions: the arena's in the hypervisor, a test's own in tests. */
void *table_page(void); /* a zeroed page, 4-KiB aligned, or NULL when there is none left */
uint64_t phys_of(const void *virt);
void *virt_of(uint64_t phys);

/* What differs between the kinds of tables. */
struct radix_format {
    uint64_t present; /* an entry is present where one of these bits is set */
    uint64_t table;   /* the flags of an entry that points to a table */
    unsigned levels;  /* the highest level with leaves: 1: 4 KiB, 2: 2 MiB too, 3: 1 GiB too */
};

struct radix_leaf {
    uint64_t phys; /* of the looked-up address itself, not of its page */
    uint64_t
        flags; /* of the entry, without the address and without the bit that marks a large page */
    uint64_t size; /* of the page that holds it, bytes */
};

/*
 * Maps [address, address + size) to phys with the flags of a leaf entry, over whatever was there.
 * Returns false where an argument is not 4-KiB aligned, the range is not canonical or leaves its
 * half of the address space, phys is beyond 52 bits, or table pages run out (then the range may be
 * done in part). A table stays where it is once it is there, even if all of it is unmapped.
 * The caller flushes TLBs.
 */
bool radix_map(const struct radix_format *format, uint64_t *root, uint64_t address, uint64_t phys,
               uint64_t size, uint64_t flags);
bool radix_unmap(const struct radix_format *format, uint64_t *root, uint64_t address,
                 uint64_t size);

/* The entry of an address that is mapped by a 4-KiB page; those of the pages behind it, up to the
 * next multiple of 2 MiB, follow. */
uint64_t *radix_entry(uint64_t *root, uint64_t address);

/* Returns false where nothing is mapped, or the address is not canonical. */
bool radix_lookup(const struct radix_format *format, const uint64_t *root, uint64_t address,
                  struct radix_leaf *leaf);
