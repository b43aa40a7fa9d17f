/* SPDX-License-Identifier: BSD-2-Clause */
/* The accesses to words that several CPUs write: each is one instruction, and nothing here decides
 * anything. All but the first are full fences (SDM volume 3, "Memory Ordering"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t word_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* What was in it. */
static inline uint64_t word_or(uint64_t *word, uint64_t bits)
{
    return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static inline uint64_t word_swap(uint64_t *word, uint64_t value)
{
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/* What was in it. */
static inline uint64_t word_add(uint64_t *word, uint64_t value)
{
    return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

/* Only if `old` was in it; false: something else was, and is in `old` now. */
static inline bool word_replace(uint64_t *word, uint64_t *old, uint64_t value)
{
    return __atomic_compare_exchange_n(word, old, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
