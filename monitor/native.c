/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/native.h"

#include "monitor/alu.h"

/* The status flags as LAHF and SETO give them: AH as in RFLAGS, AL is OF. */
#define AH_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF)

static uint64_t pack(uint64_t rflags)
{
    return (rflags & AH_FLAGS) << 8 | (rflags & RFLAGS_OF ? 1 : 0);
}

static void unpack(uint64_t *rflags, uint64_t packed)
{
    *rflags &= ~(AH_FLAGS | RFLAGS_OF);
    *rflags |= (packed >> 8 & AH_FLAGS) | (packed & 1 ? RFLAGS_OF : 0);
}

/* Adding 7fh to 1 overflows, and to 0 does not. */
#define WITH_FLAGS(instruction)                                                                    \
    __asm__("addb $0x7f, %%al\n\tsahf\n\t" instruction "\n\tlahf\n\tseto %%al"                     \
            : "+&a"(packed), "+r"(to)                                                              \
            : "r"(from), "c"(count)                                                                \
            : "cc")

#define WORDS(two, four, eight)                                                                    \
    if (size == 2)                                                                                 \
        WITH_FLAGS(two);                                                                           \
    else if (size == 4)                                                                            \
        WITH_FLAGS(four);                                                                          \
    else                                                                                           \
        WITH_FLAGS(eight);                                                                         \
    break
#define SCAN(name) WORDS(name " %w2, %w1", name " %k2, %k1", name " %q2, %q1")
#define DOUBLE_SHIFT(name)                                                                         \
    WORDS(name " %%cl, %w2, %w1", name " %%cl, %k2, %k1", name " %%cl, %q2, %q1")
#define SHIFT(name)                                                                                \
    if (size == 1) {                                                                               \
        WITH_FLAGS(name " %%cl, %b1");                                                             \
        break;                                                                                     \
    }                                                                                              \
    WORDS(name " %%cl, %w1", name " %%cl, %k1", name " %%cl, %q1")

#define TWO_SIZES(four, eight)                                                                     \
    if (size == 4)                                                                                 \
        WITH_FLAGS(four);                                                                          \
    else                                                                                           \
        WITH_FLAGS(eight);                                                                         \
    break
#define MEMORY_OTHER(name) TWO_SIZES(name " %k2, %k3, %k1", name " %q2, %q3, %q1")
#define OTHER_MEMORY(name) TWO_SIZES(name " %k3, %k2, %k1", name " %q3, %q2, %q1")
#define MEMORY(name)       TWO_SIZES(name " %k2, %k1", name " %q2, %q1")

uint64_t native_scan(enum operation operation, uint64_t to, uint64_t from, unsigned size,
                     uint64_t *rflags)
{
    uint64_t packed = pack(*rflags), count = 0;

    switch (operation) {
    case OPERATION_BSF:
        SCAN("bsf");
    case OPERATION_BSR:
        SCAN("bsr");
    case OPERATION_TZCNT:
        SCAN("tzcnt");
    case OPERATION_LZCNT:
        SCAN("lzcnt");
    default:
        SCAN("popcnt");
    }
    unpack(rflags, packed);
    return to;
}

uint64_t native_shift(enum operation operation, uint64_t to, uint8_t count, unsigned size,
                      uint64_t *rflags)
{
    uint64_t packed = pack(*rflags), from = 0;

    switch (operation) {
    case OPERATION_ROL:
        SHIFT("rol");
    case OPERATION_ROR:
        SHIFT("ror");
    case OPERATION_RCL:
        SHIFT("rcl");
    case OPERATION_RCR:
        SHIFT("rcr");
    case OPERATION_SHL:
        SHIFT("shl");
    case OPERATION_SHR:
        SHIFT("shr");
    default:
        SHIFT("sar");
    }
    unpack(rflags, packed);
    return to;
}

uint64_t native_shift_double(enum operation operation, uint64_t to, uint64_t from, uint8_t count,
                             unsigned size, uint64_t *rflags)
{
    uint64_t packed = pack(*rflags);

    switch (operation) {
    case OPERATION_SHLD:
        DOUBLE_SHIFT("shld");
    default:
        DOUBLE_SHIFT("shrd");
    }
    unpack(rflags, packed);
    return to;
}

uint64_t native_bits(enum operation operation, uint64_t from, uint64_t other, unsigned size,
                     uint64_t *rflags)
{
    uint64_t packed = pack(*rflags), count = other, to = 0;

    switch (operation) {
    case OPERATION_ANDN:
        MEMORY_OTHER("andn");
    case OPERATION_BEXTR:
        OTHER_MEMORY("bextr");
    case OPERATION_BZHI:
        OTHER_MEMORY("bzhi");
    case OPERATION_PDEP:
        MEMORY_OTHER("pdep");
    case OPERATION_PEXT:
        MEMORY_OTHER("pext");
    case OPERATION_BLSR:
        MEMORY("blsr");
    case OPERATION_BLSMSK:
        MEMORY("blsmsk");
    default:
        MEMORY("blsi");
    }
    unpack(rflags, packed);
    return to;
}

uint32_t native_checksum(uint32_t sum, uint64_t value, unsigned size)
{
    uint64_t wide = sum;

    switch (size) {
    case 1:
        __asm__("crc32b %b1, %k0" : "+r"(wide) : "q"(value));
        break;
    case 2:
        __asm__("crc32w %w1, %k0" : "+r"(wide) : "r"(value));
        break;
    case 4:
        __asm__("crc32l %k1, %k0" : "+r"(wide) : "r"(value));
        break;
    default:
        __asm__("crc32q %1, %0" : "+r"(wide) : "r"(value));
        break;
    }
    return (uint32_t)wide;
}
