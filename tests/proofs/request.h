/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's request against its share, of any extents and any segments up to a number. */
#pragma once

#include "drivers/request.c"
#include "tests/proofs/proof.h"

#define MOST_EXTENTS 3u
#define PHYSICAL_END (1ULL << 52) /* above all physical addresses */

static struct process_extents extents;
static struct share share;

/* What ring 0 gives: whole pages, which do not wrap, in guest-physical and in physical memory. */
static inline struct process_extent extent_make(uint64_t unit)
{
    struct process_extent e = {nondet_u64(), nondet_u64(), nondet_u64()};

    suppose(e.gpa % 4096 == 0 && e.physical % 4096 == 0 && e.size % unit == 0);
    suppose(e.size <= PHYSICAL_END && e.gpa <= PHYSICAL_END && e.physical <= PHYSICAL_END - e.size);
    return e;
}

/* `unit`: extents have a multiple of this many bytes. */
static inline void share_make(unsigned most, uint64_t unit)
{
    extents.count = nondet_u64();
    suppose(extents.count <= most);
    for (unsigned i = 0; i < most; i++)
        extents.extent[i] = extent_make(unit);
    share.present = nondet_bool();
    share.first = nondet_u64();
    share.sectors = nondet_u64();
    share.flags = nondet_u32();
    share.extents = &extents;
    share.bounce = extent_make(BLOCK_PAGES * 4096);
    suppose(share.bounce.gpa == 0 && share.bounce.size == BLOCK_PAGES * 4096);
    suppose(share.first <= UINT64_MAX - share.sectors);
}

/* Whether a run is this part of a segment, and lies in memory that the client may name. */
static inline bool run_is_right(const struct disk_run *run, uint64_t segment, uint32_t sectors)
{
    uint64_t address = ((segment & ~(1ULL << 63)) >> 16) * 512 + sectors * 512ULL;
    bool found = false;

    if (run->bytes == 0 || run->bytes % 512 != 0)
        return false;
    if (segment >> 63)
        return address < BLOCK_PAGES * 4096 && run->bytes <= BLOCK_PAGES * 4096 - address &&
               run->physical == share.bounce.physical + address;
    if (share.flags & BLOCK_NEEDS_BOUNCE)
        return false;
    for (unsigned i = 0; i < MOST_EXTENTS; i++) {
        const struct process_extent *e = &extents.extent[i];

        if (i < extents.count && e->gpa <= address && address - e->gpa < e->size &&
            run->bytes <= e->size - (address - e->gpa) &&
            run->physical == e->physical + (address - e->gpa))
            found = true;
    }
    return found;
}
