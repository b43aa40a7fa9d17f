/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/decode/comparison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"

static unsigned vex_map(const struct opcode_bytes *opcode)
{
    return opcode->count < 3 ? 1 : opcode->bytes[1] == 0x38 ? 2 : 3;
}

/* Instructions that have a form with VEX only, or whose other forms have no memory operand. */
static void learn_vex(struct comparison *c, const struct opcode_bytes *opcode, unsigned implied)
{
    struct opcode_bytes known = *opcode;

    memset(c->bytes, 0, sizeof(c->bytes));
    c->bytes[0] = 0xc4;
    c->bytes[1] = 0xe0 | (uint8_t)vex_map(opcode);
    c->bytes[2] = 0x78 | (uint8_t)implied;
    c->bytes[3] = opcode->bytes[opcode->count - 1];
    c->bytes[4] = opcode->modrm;
    comparison_run(c);
    known.prefix = (uint8_t)implied;
    known.only_vex = true;
    if (comparison_in_scope(c))
        c->known[c->known_count++] = known;
}

void comparison_learn(struct comparison *c, const uint8_t *escape, uint8_t escape_count)
{
    static const uint8_t prefixes[4] = {0, 0x66, 0xf3, 0xf2};

    for (unsigned i = 0; i < 256 * 8 * 4; i++) {
        struct opcode_bytes opcode = {
            .prefix = prefixes[i & 3], .count = escape_count + 1, .modrm = (i >> 2 & 7) << 3};
        unsigned at = opcode.prefix != 0;

        memset(c->bytes, 0, sizeof(c->bytes));
        c->bytes[0] = opcode.prefix;
        memcpy(opcode.bytes, escape, escape_count);
        opcode.bytes[escape_count] = (uint8_t)(i >> 5);
        memcpy(c->bytes + at, opcode.bytes, opcode.count);
        c->bytes[at + opcode.count] = opcode.modrm;
        comparison_run(c);
        if (opcode.prefix == 0)
            c->plain = ZYAN_SUCCESS(c->status) ? c->theirs.mnemonic : ZYDIS_MNEMONIC_INVALID;
        assert_true(c->known_count < ARRAY_SIZE(c->known));
        if (comparison_in_scope(c) && c->theirs.raw.prefix_count == at &&
            (at == 0 || c->theirs.mnemonic != c->plain))
            c->known[c->known_count++] = opcode;
        else if (escape_count > 0)
            learn_vex(c, &opcode, i & 3);
    }
}

static unsigned make_prefixes(struct comparison *c, uint8_t *bytes)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48};
    unsigned count = 0;
    unsigned more = random_below(&c->random, 64) == 0 ? 8 : 2; /* of 9 tries, this many add one */

    while (count < DECODE_MAX_LENGTH && random_below(&c->random, 9) < more)
        bytes[count++] = prefixes[random_below(&c->random, ARRAY_SIZE(prefixes))];
    if (c->mode == DECODE_64 && count < DECODE_MAX_LENGTH && random_below(&c->random, 2))
        bytes[count++] = 0x40 | (uint8_t)random_below(&c->random, 16);
    return count;
}

/* In place of the escapes and the prefix; most often with no second register. */
static unsigned make_vex(struct comparison *c, uint8_t *bytes, const struct opcode_bytes *opcode)
{
    uint8_t last = (uint8_t)random_next(&c->random), first = (uint8_t)random_next(&c->random);
    unsigned at = 0;

    if (random_below(&c->random, 4))
        last |= 0x78;
    if (opcode->only_vex && random_below(&c->random, 4))
        last = (last & ~3) | opcode->prefix;
    if (c->mode != DECODE_64)
        first |= 0xc0;
    if (opcode->count == 2 && random_below(&c->random, 2)) {
        bytes[at++] = 0xc5;
        bytes[at++] = c->mode == DECODE_64 ? last : last | 0xc0;
    } else {
        bytes[at++] = 0xc4;
        bytes[at++] = (first & 0xe0) | (uint8_t)vex_map(opcode);
        bytes[at++] = last;
    }
    bytes[at++] = opcode->bytes[opcode->count - 1];
    return at;
}

void comparison_make(struct comparison *c)
{
    const struct opcode_bytes *opcode = &c->known[random_below(&c->random, c->known_count)];
    unsigned at;

    for (unsigned i = 0; i < sizeof(c->bytes); i += 8) {
        uint64_t value = random_next(&c->random);
        memcpy(c->bytes + i, &value, sizeof(value));
    }
    at = make_prefixes(c, c->bytes);
    switch (random_below(&c->random, 8)) {
    case 0: /* anything */
        break;
    case 1: /* anything in the second map */
        c->bytes[at] = 0x0f;
        break;
    default:
        if (opcode->only_vex || (opcode->count > 1 && random_below(&c->random, 4) == 0)) {
            at = random_below(&c->random, 8) == 0 ? at : 0; /* what prefixes VEX allows is rare */
            at += make_vex(c, c->bytes + at, opcode);
        } else {
            if (opcode->prefix != 0)
                c->bytes[at++] = opcode->prefix;
            memcpy(c->bytes + at, opcode->bytes, opcode->count);
            at += opcode->count;
        }
        c->bytes[at] = (c->bytes[at] & 0xc7) | opcode->modrm;
        if (c->bytes[at] >= 0xc0 && random_below(&c->random, 8))
            c->bytes[at] ^= 0x80;
    }
}
