/* SPDX-License-Identifier: BSD-2-Clause */
#include "guests/lib/pace.h"

#include "lib/bits.h"

#define LOOPS 500 /* two instructions each */

static uint64_t begins[PACE_CHUNKS], ends[PACE_CHUNKS];

static uint64_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t pace_work(void)
{
    for (unsigned i = 0; i < PACE_CHUNKS; i++) {
        unsigned loops = LOOPS;

        begins[i] = ticks();
        __asm__ volatile("1: decl %0; jnz 1b" : "+r"(loops));
        ends[i] = ticks();
    }
    return ends[PACE_CHUNKS - 1] - begins[0];
}

uint64_t pace_chunk(void)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 1; i < PACE_CHUNKS; i++)
        least = min_u64(least, begins[i] - begins[i - 1]);
    return least;
}

uint64_t pace_least_share(uint64_t chunk, uint64_t window)
{
    uint64_t least = UINT64_MAX;

    for (unsigned first = 0, end = 0; first < PACE_CHUNKS; first++) {
        while (end < PACE_CHUNKS && ends[end] <= ends[first] + window)
            end++;
        if (end == PACE_CHUNKS)
            break;
        least = min_u64(least, (end - first - 1) * chunk * 1000 / window);
    }
    return least;
}
