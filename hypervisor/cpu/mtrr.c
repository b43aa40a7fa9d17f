/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/mtrr.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "lib/bits.h"

#define CAP_COUNT   0xff
#define TYPE        0xff
#define ADDRESS_END BIT(52) /* the widest that there is */

void mtrr_read(struct mtrrs *mtrrs)
{
    *mtrrs = (struct mtrrs){0};
    if (!(cpuid(1, 0).edx & CPUID_1_EDX_MTRR))
        return;
    mtrrs->def_type = rdmsr(MSR_IA32_MTRR_DEF_TYPE);
    mtrrs->count = (uint32_t)min_u64(rdmsr(MSR_IA32_MTRRCAP) & CAP_COUNT, MTRR_VARIABLE_MAX);
    for (uint32_t i = 0; i < mtrrs->count; i++)
        mtrrs->variable[i] = (struct mtrr_pair){rdmsr(MSR_IA32_MTRR_PHYSBASE0 + 2 * i),
                                                rdmsr(MSR_IA32_MTRR_PHYSMASK0 + 2 * i)};
}

void mtrr_write(const struct mtrrs *mtrrs)
{
    wrmsr(MSR_IA32_MTRR_DEF_TYPE, mtrrs->def_type & ~MTRR_DEF_TYPE_ENABLE);
    for (uint32_t i = 0; i < mtrrs->count; i++) {
        wrmsr(MSR_IA32_MTRR_PHYSBASE0 + 2 * i, mtrrs->variable[i].base);
        wrmsr(MSR_IA32_MTRR_PHYSMASK0 + 2 * i, mtrrs->variable[i].mask);
    }
    wrmsr(MSR_IA32_MTRR_DEF_TYPE, mtrrs->def_type);
}

/*
 * Adds or removes what a pair covers below `end`: all addresses with the base's bits where the mask
 * has ones. A mask may have zeros between its ones, or lack the highest, where a firmware thinks
 * addresses narrower than they are: then these are several ranges.
 */
static bool change(struct phys_map *map, struct mtrr_pair pair, uint64_t end, bool add)
{
    uint64_t mask = align_down(pair.mask, PAGE_SIZE) | ADDRESS_END, size = mask & -mask,
             zeros = ~mask & (ADDRESS_END - size), at = 0;

    do {
        uint64_t start = (pair.base & mask) | at;
        if (start >= end)
            break;
        if (!(add ? phys_map_add : phys_map_remove)(map, start, start + size))
            return false;
        at = (at - zeros) & zeros; /* the next larger number that has ones there alone */
    } while (at != 0);
    return true;
}

/* Takes out the pairs that are valid and make memory write-back, or adds those that make it
 * something else. */
static bool change_all(const struct mtrrs *mtrrs, struct phys_map *map, uint64_t end, bool add)
{
    for (uint32_t i = 0; i < mtrrs->count; i++) {
        const struct mtrr_pair *pair = &mtrrs->variable[i];
        bool others = (pair->base & TYPE) != MEMORY_WRITE_BACK;
        if (pair->mask & MTRR_MASK_VALID && others == add && !change(map, *pair, end, add))
            return false;
    }
    return true;
}

/* Memory that no pair covers has the default type; where two overlap, write-back is the weaker. */
bool mtrr_keep_write_back(const struct mtrrs *mtrrs, struct phys_map *map)
{
    static struct phys_map others;
    uint64_t end = map->count > 0 ? map->range[map->count - 1].end : 0;

    if (!(mtrrs->def_type & MTRR_DEF_TYPE_ENABLE))
        return true;
    others.count = 0;
    if ((mtrrs->def_type & TYPE) != MEMORY_WRITE_BACK &&
        !(phys_map_add(&others, 0, end) && change_all(mtrrs, &others, end, false)))
        return false;
    if (!change_all(mtrrs, &others, end, true))
        return false;
    for (uint32_t i = 0; i < others.count; i++)
        if (!phys_map_remove(map, others.range[i].start, others.range[i].end))
            return false;
    return true;
}
