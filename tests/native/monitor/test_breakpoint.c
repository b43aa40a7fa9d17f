/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's breakpoints, against a model that goes byte by byte (SDM volume 3, "Debug
 * Registers"). */
#include "lib/bits.h"
#include "monitor/breakpoint.h"
#include "tests/native/monitor/fakes.h"

#define ROUNDS 200000

static unsigned length_of(uint64_t dr7, unsigned n)
{
    switch (dr7 >> (18 + 4 * n) & 3) {
    case 0:
        return 1;
    case 1:
        return 2;
    case 2:
        return 8;
    default:
        return 4;
    }
}

static bool wants(const struct guest_state *s, unsigned n, enum breakpoint_access access)
{
    unsigned kind = s->dr7 >> (16 + 4 * n) & 3;

    if (!(s->dr7 & (3u << 2 * n)))
        return false;
    if (access == BREAKPOINT_PORT)
        return kind == 2 && s->cr4 & CR4_DE;
    return kind == 3 || (kind == 1 && access == BREAKPOINT_WRITE);
}

static uint32_t model(const struct guest_state *s, enum breakpoint_access access, uint64_t address,
                      unsigned size)
{
    uint32_t met = 0;

    for (unsigned n = 0; n < 4; n++) {
        unsigned length = length_of(s->dr7, n);
        for (unsigned i = 0; i < size; i++)
            if (wants(s, n, access) && (address + i) / length == s->dr[n] / length)
                met |= 1u << n;
    }
    return met;
}

static void against_model(void **state)
{
    static const uint64_t bases[] = {0, 0x7000, 0xd0000000, 0x7ffffffffff0, -16ULL};
    unsigned hits = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t base = bases[random_u64() % ARRAY_SIZE(bases)], address = base + random_u64() % 16;
        unsigned size = 1u << random_u64() % 4;
        enum breakpoint_access access = (enum breakpoint_access)(random_u64() % 3);
        struct guest_state s = {.dr7 = (uint32_t)random_u64(), .cr4 = random_u64() & CR4_DE};

        for (unsigned n = 0; n < 4; n++)
            s.dr[n] = base + random_u64() % 16;
        uint32_t met = breakpoints_met(&s, access, address, size);
        assert_int_equal(met, model(&s, access, address, size));
        assert_true(met == 0 || breakpoints_on(&s));
        hits += met != 0;
    }
    assert_in_range(hits, ROUNDS / 10, ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
