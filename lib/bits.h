/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic on bits and addresses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)        (1ULL << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The lowest member of a set that is a word, bit n for n; it must have one. One instruction, where
 * the compiler's builtin takes three. */
static inline uint64_t set_first(uint64_t set)
{
    uint64_t n;

    __asm__("bsf %1, %0" : "=r"(n) : "r"(set) : "cc");
    return n;
}

#define PAGE_SIZE  0x1000ULL
#define LARGE_PAGE 0x200000ULL
#define HUGE_PAGE  0x40000000ULL

/* Align must be a power of two. */
static inline uint64_t align_down(uint64_t value, uint64_t align)
{
    return value & ~(align - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
    return align_down(value + align - 1, align);
}

static inline bool is_aligned(uint64_t value, uint64_t align)
{
    return (value & (align - 1)) == 0;
}

/* Bits of a linear address, for a guest as for the host: neither uses 5-level paging. */
#define LINEAR_WIDTH 48

/* Whether a linear address is canonical (SDM volume 1, "Canonical Addressing"). */
static inline bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << (64 - LINEAR_WIDTH)) >> (64 - LINEAR_WIDTH)) == address;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}
