/* SPDX-License-Identifier: BSD-2-Clause */
/* Exact conversion between the ticks of two clocks. */
#pragma once

#include <stdint.h>

/*
 * value * multiplier / divisor, rounded down, modulo 2^64, without losing a bit in between. The
 * divisor must not be 0. By hand, because a 128-bit division would call into the compiler's
 * library.
 */
static inline uint64_t scale_down(uint64_t value, uint64_t multiplier, uint64_t divisor)
{
    unsigned __int128 product = (unsigned __int128)value * multiplier;
    uint64_t high = (uint64_t)(product >> 64) % divisor, low = (uint64_t)product;

    __asm__("divq %2" : "+a"(low), "+d"(high) : "r"(divisor) : "cc");
    return low;
}

/* Likewise, rounded up. */
static inline uint64_t scale_up(uint64_t value, uint64_t multiplier, uint64_t divisor)
{
    unsigned __int128 product = (unsigned __int128)value * multiplier + (divisor - 1);
    uint64_t high = (uint64_t)(product >> 64) % divisor, low = (uint64_t)product;

    __asm__("divq %2" : "+a"(low), "+d"(high) : "r"(divisor) : "cc");
    return low;
}
