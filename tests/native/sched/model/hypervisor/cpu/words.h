/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/words.h: each access is a step of post_model.c. The plain ones are
 * what is left of the others without LOCK. */
#ifndef CPU_WORDS_H
#define CPU_WORDS_H

#include <stdint.h>

uint64_t word_load(const uint64_t *word);
void word_store(uint64_t *word, uint64_t value);
uint64_t word_or(uint64_t *word, uint64_t bits);
uint64_t word_swap(uint64_t *word, uint64_t value);

static inline uint64_t plain_or(uint64_t *word, uint64_t bits)
{
    uint64_t old = word_load(word);

    word_store(word, old | bits);
    return old;
}

static inline uint64_t plain_swap(uint64_t *word, uint64_t value)
{
    uint64_t old = word_load(word);

    word_store(word, value);
    return old;
}

#endif
