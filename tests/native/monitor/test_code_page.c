/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code page against a walk at each step, while the guest changes its page tables, its mode and
 * where it runs.
 */
#include <stdlib.h>
#include <string.h>

#include "monitor/code_page.h"
#include "monitor/x86.h"
#include "tests/native/monitor/fakes.h"

#define MEMORY 0x8000ULL /* eight pages, all of them tables and code at once */
#define STEPS  100000

static uint8_t ram[MEMORY], before[MEMORY];
static struct guest_memory memory;

/* Present, writable and for users, at one of ten pages, of which two are no RAM; sometimes less. */
static uint64_t random_entry(void)
{
    uint64_t r = random_u64(), entry = r % 10 << 12 | 7;

    if (r >> 8 & 1)
        entry |= 0x20;
    switch (r >> 16 & 31) {
    case 0:
        return entry & ~1ULL;
    case 1:
        return entry & ~4ULL;
    case 2:
        return entry | 1ULL << 63;
    case 3:
        return (entry & ~0xfff000ULL) | 0x80;
    default:
        return entry;
    }
}

/* Few indices: addresses that share tables are frequent. */
static uint64_t random_linear(void)
{
    uint64_t r = random_u64();

    return (r & 1) << 39 | (r >> 1 & 1) << 30 | (r >> 2 & 1) << 21 | (r >> 3 & 1) << 12 |
           (r >> 4 & 0xfff);
}

static void set_entry(void)
{
    uint64_t entry = random_entry();

    memcpy(ram + random_u64() % (MEMORY / 0x1000) * 0x1000 + random_u64() % 2 * 8, &entry, 8);
}

static void change(struct guest_state *s, uint64_t *linear)
{
    switch (random_u64() % 32) {
    case 0:
        s->cr3 = random_u64() % (MEMORY / 0x1000) << 12;
        break;
    case 1:
        s->cr4 ^= CR4_SMEP;
        break;
    case 2:
        s->efer ^= EFER_NXE;
        break;
    case 3:
        s->segment[SEG_SS].access ^= 0x60;
        break;
    case 4: /* off and on, 32 bits in between */
        s->efer ^= EFER_LMA;
        break;
    case 5:
    case 6:
        *linear = random_linear();
        break;
    case 7:
    case 8:
        set_entry();
        break;
    default:
        break;
    }
}

static void against_walk(void **state)
{
    struct guest_state s = {.cr0 = CR0_PE | CR0_PG, .cr4 = CR4_PAE, .efer = EFER_LMA | EFER_LME};
    uint64_t linear = 0, kept = 0, found = 0, lost = 0;
    struct code_page page;

    memory = guest_memory_make(ram, MEMORY);
    code_page_reset(&page);
    for (unsigned i = 0; i < 64; i++)
        set_entry();
    for (unsigned i = 0; i < STEPS; i++) {
        struct emulate_fault fault;
        const uint8_t *expected = NULL, *got;
        uint64_t physical;

        change(&s, &linear);
        kept += page.linear == (linear & ~0xfffULL);
        got = code_page_find(&page, &memory, &s, linear);
        memcpy(before, ram, MEMORY);
        if (walk(&memory, &s, linear, WALK_FETCH, &physical, &fault))
            expected = guest_memory_at(&memory, physical & ~0xfffULL, 0x1000);
        assert_ptr_equal(got, expected);
        assert_memory_equal(ram, before, MEMORY); /* accessed flags were set already */
        found += got != NULL;
        lost += got == NULL;
    }
    assert_in_range(kept, STEPS / 10, STEPS);
    assert_in_range(found, STEPS / 10, STEPS);
    assert_in_range(lost, STEPS / 10, STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_walk)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
