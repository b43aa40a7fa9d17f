/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoded instructions, kept by their bytes in a direct-mapped table. */
#include "monitor/decode_cache.h"

#include <stdalign.h>

#define ENTRY_BITS 6

/* An odd number with bits everywhere: the product's top bits depend on all bits of the key. */
#define SPREAD 0x9e3779b97f4a7c15ULL

/* The key: 15 bytes, and in the last one the mode plus 1, so that an unused entry has no key. */
struct entry {
    alignas(64) uint64_t low;
    uint64_t high;
    struct instruction instruction;
};

static struct entry entries[1 << ENTRY_BITS];

__attribute__((cold, noinline)) static enum decode_result
fill(struct entry *e, enum decode_mode mode, const uint8_t bytes[DECODE_BUFFER], size_t count,
     uint64_t low, uint64_t high)
{
    enum decode_result result = decode(mode, bytes, count, &e->instruction);

    e->low = low;
    e->high = result == DECODE_DONE && count == DECODE_MAX_LENGTH ? high : 0;
    return result;
}

enum decode_result decode_cached(enum decode_mode mode, const uint8_t bytes[DECODE_BUFFER],
                                 size_t count, const struct instruction **instruction)
{
    uint64_t low, high;

    __builtin_memcpy(&low, bytes, sizeof(low));
    __builtin_memcpy(&high, bytes + sizeof(low), sizeof(high));
    high |= (mode + 1ULL) << 56;

    struct entry *e = &entries[(low + high) * SPREAD >> (64 - ENTRY_BITS)];

    *instruction = &e->instruction;
    if (e->low == low && e->high == high && count == DECODE_MAX_LENGTH)
        return DECODE_DONE;
    return fill(e, mode, bytes, count, low, high);
}
