/* SPDX-License-Identifier: BSD-2-Clause */
/* Host page tables: the CPU's entry bits on top of the 4-level map. */
#include "hypervisor/cpu/paging.h"

#include "lib/bits.h"

#include <stddef.h>

#define ENTRY_P   BIT(0)
#define ENTRY_W   BIT(1)
#define ENTRY_U   BIT(2)
#define ENTRY_PWT BIT(3)
#define ENTRY_PCD BIT(4)
#define ENTRY_A   BIT(5)
#define ENTRY_D   BIT(6)
#define ENTRY_G   BIT(8)
#define ENTRY_NX  BIT(63)

/* Accessed and dirty are set beforehand, so that the CPU never writes to the tables. PCD and PWT:
 * strong uncacheable. */
static const struct {
    unsigned flag;
    uint64_t bits;
} bits[] = {
    {PAGING_W, ENTRY_W | ENTRY_D},      {PAGING_U, ENTRY_U}, {PAGING_NX, ENTRY_NX},
    {PAGING_UC, ENTRY_PCD | ENTRY_PWT}, {PAGING_G, ENTRY_G},
};

static const struct radix_format format = {
    .present = ENTRY_P, .table = ENTRY_P | ENTRY_W | ENTRY_U | ENTRY_A, .levels = 2};

bool paging_map(uint64_t *root, uint64_t virt, uint64_t phys, uint64_t size, unsigned flags)
{
    uint64_t entry = ENTRY_P | ENTRY_A;

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
        if (flags & bits[i].flag)
            entry |= bits[i].bits;
    return radix_map(&format, root, virt, phys, size, entry);
}

bool paging_lookup(const uint64_t *root, uint64_t virt, uint64_t *phys)
{
    struct radix_leaf leaf;

    if (!radix_lookup(&format, root, virt, &leaf))
        return false;
    *phys = leaf.phys;
    return true;
}
