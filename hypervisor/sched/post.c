/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/post.h"

#include "hypervisor/cpu/words.h"

bool post_put(struct posts *cpu, uint64_t *word, uint64_t bits)
{
    if (word_or(word, bits) != 0)
        return false; /* who set the first bit has seen to it */
    return word_swap(&cpu->kicked, 1) == 0;
}

/* Before the words are looked at: who finds it set relies on being seen then. */
void post_open(struct posts *cpu)
{
    word_swap(&cpu->kicked, 0);
}

bool post_waits(const uint64_t *word)
{
    return word_load(word) != 0;
}

uint64_t post_take(uint64_t *word)
{
    return word_load(word) != 0 ? word_swap(word, 0) : 0;
}
