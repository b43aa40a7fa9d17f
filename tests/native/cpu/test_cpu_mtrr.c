/* SPDX-License-Identifier: BSD-2-Clause */
/* Which memory is write-back: MTRRs as firmwares of real machines left them, and random ones
 * against the SDM's rules for one address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mtrr.h"
#include "lib/bits.h"

#define MIB    0x100000ULL
#define GIB    0x40000000ULL
#define ON     0xc00 /* variable and fixed ranges */
#define VALID  0x800
#define ROUNDS 20000

enum type { UC = 0, WC = 1, WT = 4, WP = 5, WB = 6 };

/* The simulated CPU's registers: rdmsr has them. */
static struct mtrrs cpu;
static bool has_mtrrs;

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    return (struct cpuid_result){.edx = has_mtrrs ? 1 << 12 : 0};
}

uint64_t rdmsr(uint32_t index)
{
    assert_true(has_mtrrs);
    if (index == 0xfe)
        return 0x500 | cpu.count;
    if (index == 0x2ff)
        return cpu.def_type;
    assert_in_range(index, 0x200, 0x200 + 2 * cpu.count - 1);
    return index % 2 == 0 ? cpu.variable[index / 2 - 0x100].base
                          : cpu.variable[index / 2 - 0x100].mask;
}

/* Nothing here writes them; test_cpu_same.c does. */
void wrmsr(uint32_t index, uint64_t value)
{
    fail_msg("WRMSR of %x", index);
}

struct machine {
    const char *name;
    uint64_t def_type;
    struct mtrr_pair pairs[12]; /* a mask of 0: no more */
    struct phys_range before[4], after[4];
};

static const struct machine machines[] = {
    {"default write-back, holes below 4 GiB and above the memory (a notebook of 2019)",
     ON | WB,
     {{0xc0000000 | UC, 0x7fc0000000 | VALID},
      {0xa0000000 | UC, 0x7fe0000000 | VALID},
      {0x98000000 | UC, 0x7ff8000000 | VALID},
      {0x94000000 | UC, 0x7ffc000000 | VALID},
      {0x92000000 | UC, 0x7ffe000000 | VALID},
      {0x91000000 | UC, 0x7fff000000 | VALID},
      {0x4000000000 | UC, 0x4000000000 | VALID}},
     {{MIB, 0x7bc00000}, {0x90f00000, 0x91100000}, {4 * GIB, 10 * GIB}},
     {{MIB, 0x7bc00000}, {0x90f00000, 0x91000000}, {4 * GIB, 10 * GIB}}},
    {"default uncacheable, a hole over write-back, memory up to 12,272 MiB (a desktop)",
     ON | UC,
     {{0x000000000 | WB, 0xe00000000 | VALID},
      {0x200000000 | WB, 0xf00000000 | VALID},
      {0x300000000 | WB, 0xff0000000 | VALID},
      {0x310000000 | WB, 0xff8000000 | VALID},
      {0x318000000 | WB, 0xffc000000 | VALID},
      {0x31c000000 | WB, 0xffe000000 | VALID},
      {0x31e000000 | WB, 0xfff000000 | VALID},
      {0x0e0000000 | UC, 0xfe0000000 | VALID}},
     {{MIB, 0xdf800000}, {4 * GIB, 0x320000000}},
     {{MIB, 0xdf800000}, {4 * GIB, 0x31f000000}}},
    {"default uncacheable, a graphics aperture and holes over write-back (coreboot)",
     ON | UC,
     {{0x000000000 | WB, 0x7f80000000 | VALID},
      {0x07b000000 | UC, 0x7fff000000 | VALID},
      {0x07c000000 | UC, 0x7ffc000000 | VALID},
      {0x080000000 | WC, 0x7ff0000000 | VALID},
      {0x100000000 | WB, 0x7f00000000 | VALID}},
     {{MIB, 0x90000000}, {4 * GIB, 9 * GIB}},
     {{MIB, 0x7b000000}, {4 * GIB, 8 * GIB}}},
    {"write-through over write-back is write-through, write-protected is not write-back",
     ON | WB,
     {{0x10000000 | WB, 0xff0000000 | VALID},
      {0x10000000 | WT, 0xfff000000 | VALID},
      {0x20000000 | WP, 0xfff000000 | VALID}},
     {{MIB, GIB}},
     {{MIB, 0x10000000}, {0x11000000, 0x20000000}, {0x21000000, GIB}}},
    {"a pair that is not valid covers nothing",
     ON | WB,
     {{0x10000000 | UC, 0xff0000000}, {0x20000000 | UC, 0xff0000000 | VALID}},
     {{MIB, 0x40000000}},
     {{MIB, 0x20000000}, {0x30000000, 0x40000000}}},
    {"masks of 36 bits in a CPU of 39: the hole comes again each 64 GiB",
     ON | WB,
     {{0xc0000000 | UC, 0xfc0000000 | VALID}},
     {{MIB, 3 * GIB}, {4 * GIB, 100 * GIB}},
     {{MIB, 3 * GIB}, {4 * GIB, 67 * GIB}, {68 * GIB, 100 * GIB}}},
    {"a pair for all addresses", ON | UC, {{WB, VALID}}, {{MIB, 8 * GIB}}, {{MIB, 8 * GIB}}},
    {"all uncacheable", ON | UC, {{0}}, {{MIB, 8 * GIB}}, {{0}}},
    {"off: they say nothing",
     UC,
     {{0x10000000 | UC, 0xff0000000 | VALID}},
     {{MIB, 8 * GIB}},
     {{MIB, 8 * GIB}}},
};

static void read_pairs(const struct machine *m, struct mtrrs *mtrrs)
{
    cpu = (struct mtrrs){.def_type = m->def_type, .count = 10};
    memcpy(cpu.variable, m->pairs, 10 * sizeof(m->pairs[0]));
    has_mtrrs = true;
    mtrr_read(mtrrs);
}

static void put_ranges(const struct phys_range *ranges, struct phys_map *map)
{
    map->count = 0;
    for (unsigned i = 0; i < 4; i++)
        assert_true(phys_map_add(map, ranges[i].start, ranges[i].end));
}

static void real_machines(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
        struct mtrrs mtrrs;
        struct phys_map map, after;

        read_pairs(&machines[i], &mtrrs);
        put_ranges(machines[i].before, &map);
        put_ranges(machines[i].after, &after);
        assert_true(mtrr_keep_write_back(&mtrrs, &map));
        if (map.count != after.count ||
            memcmp(map.range, after.range, map.count * sizeof(map.range[0])) != 0)
            fail_msg("%s", machines[i].name);
    }
}

static void no_mtrrs(void **state)
{
    struct mtrrs mtrrs;
    struct phys_map map;

    has_mtrrs = false;
    mtrr_read(&mtrrs);
    put_ranges(machines[0].before, &map);
    uint64_t size = phys_map_size(&map);
    assert_true(mtrr_keep_write_back(&mtrrs, &map));
    assert_int_equal(phys_map_size(&map), size);
}

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33) % n;
}

/* SDM volume 3, "MTRR Precedences", of which only write-back counts here. */
static bool is_write_back(const struct mtrrs *mtrrs, uint64_t address)
{
    bool matched = false;

    for (uint32_t i = 0; i < mtrrs->count; i++) {
        const struct mtrr_pair *p = &mtrrs->variable[i];
        uint64_t mask = p->mask & ~0xfffULL;
        if (!(p->mask & VALID) || (address & mask) != (p->base & mask))
            continue;
        if ((p->base & 0xff) != WB)
            return false;
        matched = true;
    }
    return matched || (mtrrs->def_type & 0xff) == WB;
}

static bool contains(const struct phys_map *map, uint64_t page)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (map->range[i].start <= page && page < map->range[i].end)
            return true;
    return false;
}

/* 64 pages, and masks with any zeros. */
static void random_pairs(void **state)
{
    static const enum type types[] = {UC, WC, WT, WP, WB, WB, WB};

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct mtrrs mtrrs = {.def_type = ON | types[random_below(ARRAY_SIZE(types))],
                              .count = random_below(6)};
        struct phys_map map = {.count = 1, .range = {{0, 64 * PAGE_SIZE}}};

        for (uint32_t i = 0; i < mtrrs.count; i++)
            mtrrs.variable[i] = (struct mtrr_pair){
                random_below(64) * PAGE_SIZE | types[random_below(ARRAY_SIZE(types))],
                (0xffffffffc0ULL | random_below(64) | random_below(64)) * PAGE_SIZE |
                    (random_below(8) != 0 ? VALID : 0)};
        assert_true(mtrr_keep_write_back(&mtrrs, &map));
        for (uint64_t page = 0; page < 64; page++)
            assert_int_equal(contains(&map, page * PAGE_SIZE),
                             is_write_back(&mtrrs, page * PAGE_SIZE));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_machines),
        cmocka_unit_test(no_mtrrs),
        cmocka_unit_test(random_pairs),
    };

    return cmocka_run_group_tests_name("MTRRs", tests, NULL, NULL);
}
