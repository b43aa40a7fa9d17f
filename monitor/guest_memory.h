/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's RAM by guest-physical address: from 0 to the hole, and from 4 GiB on (abi/plan.h).
 *
 * Every address that comes from the guest or from a file passes guest_memory_at before it is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/plan.h"
#include "lib/bits.h"

/* The bits of an address in a page-table entry, whatever the processor has of them. */
#define GUEST_ADDRESS_BITS 0x000ffffffffff000ULL

struct guest_memory {
    uint8_t *base;     /* where guest-physical 0 is mapped */
    uint64_t low_end;  /* the first guest-physical address behind the RAM below the hole */
    uint64_t high_end; /* likewise for the RAM above it; PLAN_HOLE_END when there is none */
    /* What a walk through page tables in it depends on: the address bits that this processor lacks,
     * which are reserved there, and whether it has pages of 1 GiB. */
    uint64_t beyond;
    bool pages_1g;
};

static inline struct guest_memory guest_memory_make(uint8_t *base, uint64_t bytes)
{
    uint64_t low = min_u64(bytes, PLAN_HOLE_START);

    return (struct guest_memory){
        .base = base, .low_end = low, .high_end = PLAN_HOLE_END + (bytes - low), .pages_1g = true};
}

/* Whether all of `size` bytes at a guest-physical address are RAM. */
static inline bool guest_memory_has(const struct guest_memory *m, uint64_t physical, uint64_t size)
{
    if (physical < m->low_end)
        return size <= m->low_end - physical;
    return physical >= PLAN_HOLE_END && physical < m->high_end && size <= m->high_end - physical;
}

/* Where they are mapped, or NULL unless all of them are RAM. */
static inline void *guest_memory_at(const struct guest_memory *m, uint64_t physical, uint64_t size)
{
    return guest_memory_has(m, physical, size) ? m->base + physical : NULL;
}
