/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/words.h: each access is a step of a model (tests/native/tso).
 * The plain ones are what is left of the others without LOCK. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint64_t word_load(const uint64_t *word);
void word_store(uint64_t *word, uint64_t value);
uint64_t word_or(uint64_t *word, uint64_t bits);
uint64_t word_swap(uint64_t *word, uint64_t value);
uint64_t word_add(uint64_t *word, uint64_t value);
bool word_replace(uint64_t *word, uint64_t *old, uint64_t value);

static inline uint64_t plain_or(uint64_t *word, uint64_t bits)
{
    uint64_t old = word_load(word);

    word_store(word, old | bits);
    return old;
}

static inline uint64_t plain_add(uint64_t *word, uint64_t value)
{
    uint64_t old = word_load(word);

    word_store(word, old + value);
    return old;
}

static inline bool plain_replace(uint64_t *word, uint64_t *old, uint64_t value)
{
    uint64_t expected = *old;

    *old = word_load(word);
    if (*old == expected)
        word_store(word, value);
    return *old == expected;
}

static inline uint64_t plain_swap(uint64_t *word, uint64_t value)
{
    uint64_t old = word_load(word);

    word_store(word, value);
    return old;
}
