/* SPDX-License-Identifier: BSD-2-Clause */
/* What memory a machine has (R36): the set of free ranges against a model, and boot loaders' maps
 * with odd entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/boot/multiboot.h"
#include "lib/bits.h"

#define UNITS  64u
#define ROUNDS 200000u

#define TAG_MODULE     3
#define TAG_MEMORY_MAP 6
#define AVAILABLE      1
#define RESERVED       2

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33) % n;
}

/* Sorted, apart, and with the same bytes as the model has bits. */
static void is_same(const struct phys_map *map, uint64_t model)
{
    uint64_t held = 0;

    for (uint32_t i = 0; i < map->count; i++) {
        const struct phys_range *r = &map->range[i];
        assert_true(r->start < r->end && (i == 0 || map->range[i - 1].end < r->start));
        for (uint64_t unit = r->start; unit < r->end; unit++)
            held |= BIT(unit);
    }
    assert_int_equal(held, model);
}

static void ranges(void **state)
{
    struct phys_map map = {0};
    uint64_t model = 0;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t start = random_below(UNITS + 1), end = random_below(UNITS + 1),
                 align = 1u << random_below(4);
        uint64_t mask = 0, taken;

        for (uint32_t unit = start; unit < end; unit++)
            mask |= BIT(unit);
        switch (random_below(3)) {
        case 0:
            assert_true(phys_map_add(&map, start, end));
            model |= mask;
            break;
        case 1:
            assert_true(phys_map_remove(&map, start, end));
            model &= ~mask;
            break;
        default:
            taken = phys_map_take(&map, 1 + start % 8, align, end);
            if (taken == PHYS_MAP_NONE)
                break;
            mask = (BIT(1 + start % 8) - 1) << taken;
            assert_true(is_aligned(taken, align) && taken + 1 + start % 8 <= end &&
                        (model & mask) == mask);
            model &= ~mask;
        }
        is_same(&map, model);
    }
}

/* The boot information, on the heap, so that a read beyond its end is found. */
static struct information {
    uint32_t *words;
    uint32_t used; /* words */
} information;

static void put(uint32_t word)
{
    information.words[information.used++] = word;
}

static int begin(void **state)
{
    information.words = calloc(256, sizeof(uint32_t));
    information.used = 2;
    return 0;
}

static int end(void **state)
{
    free(information.words);
    return 0;
}

static const char *read_it(struct boot_info *info)
{
    uint32_t size = information.used * (uint32_t)sizeof(uint32_t);

    information.words = realloc(information.words, size);
    information.words[0] = size;
    return multiboot_read(information.words, 0x10000, info);
}

static void put_end(void)
{
    put(0);
    put(8);
}

static void put_map(const uint64_t entries[][3], unsigned count)
{
    put(TAG_MEMORY_MAP);
    put(16 + 24 * count);
    put(24);
    put(0);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < 2; j++) {
            put((uint32_t)entries[i][j]);
            put((uint32_t)(entries[i][j] >> 32));
        }
        put((uint32_t)entries[i][2]);
        put(0);
    }
}

/* What a reserved entry covers is not free, whatever the order; empty ones change nothing, and none
 * goes round. */
static void odd_entries(void **state)
{
    static const uint64_t entries[][3] = {
        {0xf0000, 0x10000, RESERVED},
        {0x200000, 0, RESERVED},
        {0, 0x9fc00, AVAILABLE},
        {0x100000, 0x3ff00000, AVAILABLE},
        {0x3ffe0123, 0x1000, 4},
        {0x300000, 0, AVAILABLE},
        {0x8000000000, 0x100000000, AVAILABLE},
        {0x8040000000, 0x40000000, RESERVED},
        {0xfffffffffffff000, 0x2000, AVAILABLE},
        {0x20000000, 0x20000000, AVAILABLE},
    };
    static const struct phys_range expected[] = {
        {0, 0x9fc00},
        {0x100000, 0x3ffe0123},
        {0x3ffe1123, 0x40000000},
        {0x8000000000, 0x8040000000},
        {0x8080000000, 0x8100000000},
        {0xfffffffffffff000, UINT64_MAX},
    };
    struct boot_info info;

    put_map(entries, ARRAY_SIZE(entries));
    put_end();
    assert_null(read_it(&info));
    assert_int_equal(info.free.count, ARRAY_SIZE(expected));
    assert_memory_equal(info.free.range, expected, sizeof(expected));
}

static void no_end(void **state)
{
    struct boot_info info;

    put_map((const uint64_t[][3]){{0, 0x9fc00, AVAILABLE}}, 1);
    assert_non_null(read_it(&info));
}

/* A module that ends with its head, at the end of everything. */
static void short_module(void **state)
{
    struct boot_info info;

    put(TAG_MODULE);
    put(8);
    assert_string_equal(read_it(&info), "a module's tag is too short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test_setup_teardown(odd_entries, begin, end),
        cmocka_unit_test_setup_teardown(no_end, begin, end),
        cmocka_unit_test_setup_teardown(short_module, begin, end),
    };

    return cmocka_run_group_tests_name("memory at boot", tests, NULL, NULL);
}
