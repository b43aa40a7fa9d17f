/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock for a few instructions, with interrupts off. */
#pragma once

#include <stdint.h>

/* Then who had it was stopped with it, by the end of the machine. */
#define LOCK_PATIENCE 100000000u

static inline void lock_take(uint32_t *lock)
{
    for (uint32_t i = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) && i < LOCK_PATIENCE; i++)
        __builtin_ia32_pause();
}

static inline void lock_release(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
