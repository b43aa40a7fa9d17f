/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of decoded instructions against the decoder, on random sequences in which instructions
 * come again, changed in a few bits, in another mode, or cut short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "monitor/decode_cache.h"
#include "tests/native/decode/random.h"

#define SEED   0x6c696e74656c0002ULL
#define ROUNDS 4000000
#define POOL   200 /* more than there are entries */

static uint8_t pool[POOL][DECODE_MAX_LENGTH];

/* Mostly bytes that begin an instruction in scope: prefixes, MOV, the arithmetic groups. Some have
 * more prefixes than there may be. */
static void make_instruction(struct random *random, uint8_t bytes[DECODE_MAX_LENGTH])
{
    static const uint8_t first[] = {0x66, 0x67, 0x48, 0x44, 0xf0, 0xf3, 0x64, 0x8b, 0x89, 0x88,
                                    0x8a, 0xc7, 0x0f, 0x83, 0xa1, 0xa5, 0x03, 0x39, 0xf7, 0x87};

    for (unsigned i = 0; i < DECODE_MAX_LENGTH; i++)
        bytes[i] =
            i < 2 ? first[random_below(random, sizeof(first))] : (uint8_t)random_next(random);
    if (random_below(random, 16) == 0)
        memset(bytes, 0x2e, 13);
}

static void test_against_decode(void **state)
{
    struct random random = {SEED};
    uint64_t results[DECODE_INVALID_LOCK + 1] = {0};

    for (unsigned i = 0; i < POOL; i++)
        make_instruction(&random, pool[i]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t bytes[DECODE_BUFFER] = {0}, *chosen = pool[random_below(&random, POOL)];
        enum decode_mode mode = (enum decode_mode)random_below(&random, 3);
        size_t count = random_below(&random, 8) == 0 ? 1 + random_below(&random, 15) : 15;
        const struct instruction *cached;
        struct instruction expected;
        enum decode_result result;

        if (random_below(&random, 16) == 0)
            chosen[random_below(&random, DECODE_MAX_LENGTH)] ^=
                (uint8_t)(1u << (random_next(&random) >> 61));
        if (random_below(&random, 256) == 0)
            make_instruction(&random, chosen);
        memcpy(bytes, chosen, count);
        result = decode(mode, bytes, count, &expected);
        assert_int_equal(decode_cached(mode, bytes, count, &cached), result);
        if (result == DECODE_DONE)
            assert_memory_equal(cached, &expected, sizeof(expected));
        results[result]++;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(results); i++)
        assert_in_range(results[i], 100, ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_decode)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
