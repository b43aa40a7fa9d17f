/* SPDX-License-Identifier: BSD-2-Clause */
/* A token bucket: how often something may happen. It is one number, because what drips in meanwhile
 * follows from the time; 0 is a full one. */
#pragma once

#include "lib/bits.h"

struct bucket {
    uint64_t full_at; /* when nothing is missing in it any more */
};

/* Takes one of its `size` tokens, of which one drips in each `interval`. False: there is none. */
static inline bool bucket_take(struct bucket *b, uint64_t now, uint64_t interval, uint64_t size)
{
    uint64_t full_at = max_u64(b->full_at, now);

    if (full_at - now > (size - 1) * interval)
        return false;
    b->full_at = full_at + interval;
    return true;
}
