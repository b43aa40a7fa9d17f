/* SPDX-License-Identifier: BSD-2-Clause */
/* RDRAND (SDM volume 1, "Using RDRAND and RDSEED Instructions"). */
#include "monitor/entropy.h"

#include <cpuid.h>

#define LEAF_FEATURES 1
#define TRIES         10

bool entropy_there(void)
{
    unsigned eax, ebx, ecx, edx;

    __cpuid(LEAF_FEATURES, eax, ebx, ecx, edx);
    return ecx & bit_RDRND;
}

static bool random_word(uint64_t *word)
{
    bool good = false;

    for (unsigned i = 0; i < TRIES && !good; i++)
        __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(good) : : "cc");
    return good;
}

uint32_t entropy(uint64_t *words, uint32_t count)
{
    uint32_t filled = 0;

    while (filled < count && random_word(&words[filled]))
        filled++;
    return filled;
}
