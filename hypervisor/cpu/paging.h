/* SPDX-License-Identifier: BSD-2-Clause */
/* Host page tables: SDM volume 3, "4-Level Paging". */
#pragma once

#include "lib/radix.h"
#include "lib/x86.h"

#include <stdbool.h>
#include <stdint.h>

/* Flags of a page. */
#define PAGING_W     (ENTRY_RW | ENTRY_D)    /* writable */
#define PAGING_U     ENTRY_US                /* for ring 3 too */
#define PAGING_NX    ENTRY_XD                /* no instruction fetch; needs EFER.NXE */
#define PAGING_UC    (ENTRY_PCD | ENTRY_PWT) /* strong uncacheable */
#define PAGING_G     ENTRY_G                 /* kept in the TLB when CR3 changes; needs CR4.PGE */
#define PAGING_SMALL ENTRY_AVAILABLE         /* in 4-KiB pages only */

/*
 * As radix_map(), readable, in 4-KiB and 2-MiB pages. Both are aligned to 4 KiB. Tables allow all,
 * the leaf decides, so that entries of a root may be copied to another.
 */
bool paging_map(uint64_t *root, uint64_t virt, uint64_t phys, uint64_t size, uint64_t flags);

/* Returns false where nothing is mapped. */
bool paging_lookup(const uint64_t *root, uint64_t virt, uint64_t *phys);
