/* SPDX-License-Identifier: BSD-2-Clause */
/* Host page tables: SDM volume 3, "4-Level Paging". */
#ifndef CPU_PAGING_H
#define CPU_PAGING_H

#include "lib/radix.h"

#include <stdbool.h>
#include <stdint.h>

enum paging_flags {
    PAGING_W = 1,  /* writable */
    PAGING_U = 2,  /* for ring 3 too */
    PAGING_NX = 4, /* no instruction fetch; needs EFER.NXE */
    PAGING_UC = 8, /* uncached */
    PAGING_G = 16, /* kept in the TLB when CR3 changes; needs CR4.PGE */
};

/*
 * As radix_map(), readable, in 4-KiB and 2-MiB pages. Both are aligned to 4 KiB. Tables allow all,
 * the leaf decides, so that entries of a root may be copied to another.
 */
bool paging_map(uint64_t *root, uint64_t virt, uint64_t phys, uint64_t size, unsigned flags);

/* Returns false where nothing is mapped. */
bool paging_lookup(const uint64_t *root, uint64_t virt, uint64_t *phys);

#endif
