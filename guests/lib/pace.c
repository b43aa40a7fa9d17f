/* SPDX-License-Identifier: BSD-2-Clause */
#include "guests/lib/pace.h"

#include "lib/bits.h"

#define LOOPS 500 /* two instructions each */

#define SHORT 10   /* so many short chunks are as long as one */
#define TRIES 2000 /* to find out how long they take when nothing interrupts them */

static uint64_t begins[PACE_CHUNKS], ends[PACE_CHUNKS], chunk;

static uint64_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void run(unsigned chunks, unsigned loops)
{
    for (unsigned i = 0; i < chunks; i++) {
        unsigned left = loops;

        begins[i] = ticks();
        __asm__ volatile("1: decl %0; jnz 1b" : "+r"(left));
        ends[i] = ticks();
    }
}

static uint64_t quickest(unsigned loops)
{
    uint64_t least = UINT64_MAX;

    run(TRIES, loops);
    for (unsigned i = 1; i < TRIES; i++)
        least = min_u64(least, begins[i] - begins[i - 1]);
    return least;
}

/* Others may interrupt each chunk, and none that is so short. */
static void find_chunk(void)
{
    uint64_t one = quickest(LOOPS / SHORT), two = quickest(2 * LOOPS / SHORT);

    chunk = one + (SHORT - 1) * (two - one);
}

uint64_t pace_work(void)
{
    find_chunk();
    run(PACE_CHUNKS, LOOPS);
    return ends[PACE_CHUNKS - 1] - begins[0];
}

uint64_t pace_chunk(void)
{
    return chunk;
}

uint64_t pace_least_share(uint64_t window)
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
