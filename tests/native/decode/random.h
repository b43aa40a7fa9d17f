/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers that are the same in every run (the generator is xorshift64*). */
#pragma once

#include <stdint.h>

struct random {
    uint64_t state; /* not 0 */
};

static inline uint64_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545f4914f6cdd1dULL;
}

/* From 0 to limit - 1. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return (random_next(random) >> 32) % limit;
}

/* All widths of numbers, with the borders that arithmetic cares about more often than by chance. */
static inline uint64_t random_value(struct random *random)
{
    uint64_t value = random_next(random);

    switch (random_below(random, 4)) {
    case 0:
        return value;
    case 1:
        return (uint64_t)((int64_t)value >> random_below(random, 64));
    case 2:
        return value >> random_below(random, 64);
    default:
        return (1ULL << random_below(random, 64)) + random_below(random, 3) - 1;
    }
}
