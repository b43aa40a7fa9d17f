/* SPDX-License-Identifier: BSD-2-Clause */
/* Host page tables: the CPU's entry bits on top of the 4-level map. */
#include "hypervisor/cpu/paging.h"

static const struct radix_format format = {
    .present = ENTRY_P, .table = ENTRY_P | ENTRY_RW | ENTRY_US | ENTRY_A, .levels = 2};

/* Accessed is set beforehand, as dirty is: the CPU writes to the tables only where somebody has
 * cleared it. */
bool paging_map(uint64_t *root, uint64_t virt, uint64_t phys, uint64_t size, uint64_t flags)
{
    struct radix_format as = format;

    as.levels = flags & PAGING_SMALL ? 1 : as.levels;
    return radix_map(&as, root, virt, phys, size, flags | ENTRY_P | ENTRY_A);
}

bool paging_lookup(const uint64_t *root, uint64_t virt, uint64_t *phys)
{
    struct radix_leaf leaf;

    if (!radix_lookup(&format, root, virt, &leaf))
        return false;
    *phys = leaf.phys;
    return true;
}
