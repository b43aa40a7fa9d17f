/* SPDX-License-Identifier: BSD-2-Clause */
/* EPT and host paging against a flat model of the same memory (R36). */
#include "hypervisor/cpu/paging.h"
#include "hypervisor/vmx/ept.h"
#include "lib/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_TABLES 100000

static void *tables[MAX_TABLES];
static unsigned table_count, table_limit;

void *table_page(void)
{
    void *page;

    if (table_count == table_limit)
        return NULL;
    page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(page, 0, PAGE_SIZE);
    tables[table_count++] = page;
    return page;
}

uint64_t phys_of(const void *virt)
{
    return (uint64_t)virt;
}

void *virt_of(uint64_t phys)
{
    return (void *)phys;
}

/* An entry's rights, and memory types as in PAT and MTRRs. */
enum { EPT_R = 1, EPT_W = 2, EPT_X = 4, EPT_RWX = 7 };
enum { MEMORY_UC = 0, MEMORY_WC = 1, MEMORY_WB = 6 };

struct ept_leaf {
    uint64_t hpa, size;
    unsigned rights, type;
};

static bool ept_lookup(const struct ept *ept, uint64_t gpa, struct ept_leaf *leaf)
{
    struct radix_leaf found;

    if (!radix_lookup(&ept->format, ept->root, gpa, &found))
        return false;
    *leaf = (struct ept_leaf){found.phys, found.size, found.flags & 7, found.flags >> 3 & 7};
    return true;
}

/* What ept_map leaves out: other rights and types in the same tables. */
static bool map_as(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t size, uint64_t rights,
                   uint64_t type)
{
    return radix_map(&ept->format, ept->root, gpa, hpa, size, rights | type << 3);
}

static bool ept_unmap(struct ept *ept, uint64_t gpa, uint64_t size)
{
    return radix_unmap(&ept->format, ept->root, gpa, size);
}

static int begin(void **test)
{
    table_count = 0;
    table_limit = MAX_TABLES;
    return 0;
}

static int end(void **test)
{
    while (table_count)
        free(tables[--table_count]);
    return 0;
}

static struct ept new_ept(uint64_t have)
{
    const struct vmx_controls controls = {.have = have};
    struct ept ept;

    ept_init(&ept, table_page(), &controls, false, false);
    return ept;
}

static uint64_t page_sizes(unsigned levels)
{
    return (levels > 1 ? BIT(CONTROL_EPT_2M) : 0) | (levels > 2 ? BIT(CONTROL_EPT_1G) : 0);
}

static uint64_t random_state = 88172645463325252;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

/* The largest pages that fit, at both ends of a range too. */
static void test_ept_sizes(void **test)
{
    static const struct {
        uint64_t offset;
        unsigned levels;
        uint64_t size;
    } rows[] = {
        {0, 3, PAGE_SIZE},
        {LARGE_PAGE - 1, 3, PAGE_SIZE},
        {LARGE_PAGE, 3, LARGE_PAGE},
        {HUGE_PAGE - 1, 3, LARGE_PAGE},
        {HUGE_PAGE, 3, HUGE_PAGE},
        {2 * HUGE_PAGE, 3, LARGE_PAGE},
        {2 * HUGE_PAGE + LARGE_PAGE, 3, PAGE_SIZE},
        {HUGE_PAGE, 2, LARGE_PAGE},
        {HUGE_PAGE, 1, PAGE_SIZE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct ept ept = new_ept(page_sizes(rows[i].levels));
        const uint64_t last = 2 * HUGE_PAGE + LARGE_PAGE + 2 * PAGE_SIZE;
        const uint64_t gpa = rows[i].offset ? rows[i].offset : PAGE_SIZE;
        struct ept_leaf leaf;

        assert_true(ept_map(&ept, PAGE_SIZE, 4 * HUGE_PAGE + PAGE_SIZE, last - PAGE_SIZE));
        assert_true(ept_lookup(&ept, gpa, &leaf));
        assert_int_equal(leaf.size, rows[i].size);
        assert_int_equal(leaf.hpa, gpa + 4 * HUGE_PAGE);
        assert_int_equal(leaf.rights, EPT_RWX);
        assert_int_equal(leaf.type, MEMORY_WB);
        assert_false(ept_lookup(&ept, 0, &leaf));
        assert_false(ept_lookup(&ept, last, &leaf));
    }
}

/* Where the two addresses are aligned differently, smaller pages are used. */
static void test_ept_misaligned_target(void **test)
{
    struct ept ept = new_ept(page_sizes(3));
    struct ept_leaf leaf;

    assert_true(ept_map(&ept, HUGE_PAGE, HUGE_PAGE + LARGE_PAGE, HUGE_PAGE));
    assert_true(ept_lookup(&ept, HUGE_PAGE, &leaf));
    assert_int_equal(leaf.size, LARGE_PAGE);
    assert_true(ept_map(&ept, 4 * HUGE_PAGE, PAGE_SIZE, LARGE_PAGE));
    assert_true(ept_lookup(&ept, 4 * HUGE_PAGE + 5, &leaf));
    assert_int_equal(leaf.size, PAGE_SIZE);
    assert_int_equal(leaf.hpa, PAGE_SIZE + 5);
}

/* What a guest executes, and nothing else, becomes small pages, once. */
static void test_ept_execute(void **test)
{
    for (unsigned levels = 2; levels <= 3; levels++) {
        const struct vmx_controls controls = {.have = page_sizes(levels)};
        const uint64_t at = 5 * LARGE_PAGE;
        struct ept_leaf leaf;
        struct ept ept;
        unsigned count;

        ept_init(&ept, table_page(), &controls, true, false);
        assert_true(ept_map(&ept, 0, HUGE_PAGE, HUGE_PAGE));
        assert_true(ept_lookup(&ept, at, &leaf));
        assert_int_equal(leaf.size, levels == 3 ? HUGE_PAGE : LARGE_PAGE);
        assert_int_equal(leaf.rights, EPT_R | EPT_W);
        assert_true(ept_execute(&ept, at + 0x12345));
        count = table_count;
        assert_true(ept_execute(&ept, at));
        assert_int_equal(table_count, count);
        for (uint64_t gpa = 0; gpa < HUGE_PAGE; gpa += PAGE_SIZE) {
            bool inside = gpa >= at && gpa < at + LARGE_PAGE;
            assert_true(ept_lookup(&ept, gpa, &leaf));
            assert_int_equal(leaf.hpa, gpa + HUGE_PAGE);
            assert_int_equal(leaf.rights, inside ? EPT_RWX : EPT_R | EPT_W);
            assert_int_equal(leaf.size, inside ? PAGE_SIZE : LARGE_PAGE);
            assert_int_equal(leaf.type, MEMORY_WB);
        }
        assert_false(ept_execute(&ept, HUGE_PAGE));
        assert_false(ept_execute(&ept, BIT(47)));
        table_limit = table_count;
        assert_false(ept_execute(&ept, 0));
        table_limit = MAX_TABLES;
    }
}

/* Where there are no large pages all is executable from the start. */
static void test_ept_execute_small(void **test)
{
    const struct vmx_controls controls = {.have = page_sizes(1)};
    struct ept_leaf leaf;
    struct ept ept;

    ept_init(&ept, table_page(), &controls, true, false);
    assert_true(ept_map(&ept, 0, HUGE_PAGE, LARGE_PAGE));
    assert_true(ept_lookup(&ept, PAGE_SIZE, &leaf));
    assert_int_equal(leaf.rights, EPT_RWX);
}

/* For a snapshot: small pages, each marked as written, and its entry found. The mark may be cleared
 * where the CPU sets it again. */
static void test_ept_tracked(void **test)
{
    for (unsigned marks = 0; marks < 2; marks++) {
        const struct vmx_controls controls = {
            .have = page_sizes(3) | (marks ? BIT(CONTROL_EPT_ACCESSED_DIRTY) : 0)};
        struct ept_leaf leaf;
        struct ept ept;

        ept_init(&ept, table_page(), &controls, true, true);
        assert_true(ept_map(&ept, 0, HUGE_PAGE, 2 * LARGE_PAGE));
        for (uint64_t gpa = 0; gpa < 2 * LARGE_PAGE; gpa += PAGE_SIZE) {
            assert_true(ept_lookup(&ept, gpa, &leaf));
            assert_int_equal(leaf.size, PAGE_SIZE);
            assert_int_equal(leaf.rights, EPT_RWX);
            assert_int_equal(*radix_entry(ept.root, gpa), (HUGE_PAGE + gpa) | EPT_DIRTY | 0x37);
        }
        assert_int_equal(ept.tracked, marks ? EPT_DIRTY : 0);
        assert_int_equal(ept_pointer(&ept), phys_of(ept.root) | (marks ? 0x5e : 0x1e));
    }
}

/* The bits that the CPU reads: SDM volume 3, "EPT Translation Mechanism". */
static void test_ept_entries(void **test)
{
    struct ept ept = new_ept(page_sizes(3));
    const uint64_t *pdpt, *pd, *pt;

    assert_true(ept_map(&ept, 0, 0x40000000, HUGE_PAGE));
    assert_true(map_as(&ept, HUGE_PAGE, LARGE_PAGE, LARGE_PAGE, EPT_R | EPT_W, MEMORY_WB));
    assert_true(map_as(&ept, HUGE_PAGE + LARGE_PAGE, PAGE_SIZE, PAGE_SIZE, EPT_R, MEMORY_UC));
    assert_int_equal(ept_pointer(&ept), phys_of(ept.root) | 0x1e);
    assert_int_equal(ept.root[0] & 0xfff, 7);
    pdpt = virt_of(ept.root[0] & ~0xfffULL);
    assert_int_equal(pdpt[0], 0x400000b7);
    assert_int_equal(pdpt[1] & 0xfff, 7);
    pd = virt_of(pdpt[1] & ~0xfffULL);
    assert_int_equal(pd[0], 0x2000b3);
    pt = virt_of(pd[1] & ~0xfffULL);
    assert_int_equal(pt[0], 0x1001);
}

static void test_ept_refuses(void **test)
{
    struct ept ept = new_ept(page_sizes(3));
    struct ept_leaf leaf;

    assert_false(ept_map(&ept, 1, 0, PAGE_SIZE));
    assert_false(ept_map(&ept, 0, 0x800, PAGE_SIZE));
    assert_false(ept_map(&ept, 0, 0, PAGE_SIZE + 1));
    assert_false(ept_map(&ept, BIT(48), 0, PAGE_SIZE));
    assert_false(ept_map(&ept, 0xffff800000000000, 0, PAGE_SIZE));
    assert_false(ept_map(&ept, BIT(47) - PAGE_SIZE, 0, 2 * PAGE_SIZE));
    assert_false(ept_map(&ept, 0, BIT(52) - PAGE_SIZE, 2 * PAGE_SIZE));
    assert_false(ept_map(&ept, PAGE_SIZE, 0, -PAGE_SIZE));
    assert_true(ept_map(&ept, 0, 0, PAGE_SIZE));
    assert_false(ept_lookup(&ept, BIT(48), &leaf)); /* no alias of 0 */
    assert_true(ept_map(&ept, BIT(47) - PAGE_SIZE, 0, PAGE_SIZE));
}

/* Taking one page out of a 1-GiB page takes two tables and leaves the rest in the largest pages. */
static void test_ept_split(void **test)
{
    struct ept ept = new_ept(page_sizes(3));
    struct ept_leaf leaf;
    const uint64_t hole = HUGE_PAGE / 2 + 3 * PAGE_SIZE;
    unsigned before;

    assert_true(ept_map(&ept, 0, 2 * HUGE_PAGE, HUGE_PAGE));
    before = table_count;
    assert_true(ept_unmap(&ept, hole, PAGE_SIZE));
    assert_int_equal(table_count, before + 2);
    assert_false(ept_lookup(&ept, hole, &leaf));
    assert_true(ept_lookup(&ept, hole - 1, &leaf));
    assert_int_equal(leaf.size, PAGE_SIZE);
    assert_int_equal(leaf.hpa, 2 * HUGE_PAGE + hole - 1);
    assert_true(ept_lookup(&ept, 0, &leaf));
    assert_int_equal(leaf.size, LARGE_PAGE);
    assert_int_equal(leaf.rights, EPT_RWX);
    before = table_count;
    assert_true(ept_unmap(&ept, 5 * HUGE_PAGE, 100 * HUGE_PAGE));
    assert_true(ept_unmap(&ept, 0, HUGE_PAGE));
    assert_int_equal(table_count, before); /* unmapping whole pages, or nothing, needs no tables */
    assert_false(ept_lookup(&ept, 0, &leaf));
}

static void test_out_of_tables(void **test)
{
    struct ept ept = new_ept(page_sizes(3));
    struct ept_leaf leaf;

    assert_true(ept_map(&ept, 0, 0, HUGE_PAGE));
    table_limit = table_count;
    assert_false(ept_unmap(&ept, PAGE_SIZE, PAGE_SIZE));
    assert_true(ept_lookup(&ept, PAGE_SIZE, &leaf));
    table_limit = table_count + 1; /* room for the 2-MiB pages, not for the 4-KiB ones */
    assert_false(ept_unmap(&ept, PAGE_SIZE, PAGE_SIZE));
    assert_true(ept_lookup(&ept, PAGE_SIZE, &leaf));
    assert_int_equal(leaf.size, LARGE_PAGE);
    assert_int_equal(leaf.hpa, PAGE_SIZE);
}

/* The flat model: one entry for each 4-KiB page of 3 GiB, around a boundary of the root. */
#define MODEL_BASE  (BIT(39) - HUGE_PAGE)
#define MODEL_PAGES (3 * HUGE_PAGE / PAGE_SIZE)

struct flat_page {
    uint64_t hpa;
    uint8_t rights, type;
};

static uint64_t random_range(uint64_t *size)
{
    static const uint64_t units[] = {PAGE_SIZE, PAGE_SIZE, LARGE_PAGE, LARGE_PAGE / 2, HUGE_PAGE};
    const uint64_t unit = units[random_below(ARRAY_SIZE(units))];
    const uint64_t whole = MODEL_PAGES * PAGE_SIZE;
    const uint64_t start = random_below(whole / unit) * unit;

    *size = min_u64((random_below(8) + 1) * unit, whole - start);
    return start;
}

static void compare_page(const struct ept *ept, const struct flat_page *model, uint64_t page)
{
    struct ept_leaf leaf;
    const bool found = ept_lookup(ept, MODEL_BASE + page * PAGE_SIZE, &leaf);

    assert_int_equal(found, model[page].rights != 0);
    if (!found)
        return;
    assert_int_equal(leaf.hpa, model[page].hpa);
    assert_int_equal(leaf.rights, model[page].rights);
    assert_int_equal(leaf.type, model[page].type);
    assert_true(is_aligned(leaf.hpa - (page * PAGE_SIZE & (leaf.size - 1)), leaf.size));
}

static void run_model(unsigned levels)
{
    static const uint8_t rights[] = {EPT_RWX, EPT_R, EPT_R | EPT_W, EPT_R | EPT_X};
    static const uint8_t types[] = {MEMORY_WB, MEMORY_UC, MEMORY_WC};
    struct flat_page *model = calloc(MODEL_PAGES, sizeof(*model));
    struct ept ept = new_ept(page_sizes(levels));

    for (unsigned round = 0; round < 400; round++) {
        uint64_t size;
        const uint64_t start = random_range(&size);
        const uint64_t hpa = random_below(2) ? random_below(BIT(20)) * PAGE_SIZE
                                             : random_below(64) * HUGE_PAGE + start;
        struct flat_page value = {0, rights[random_below(4)], types[random_below(3)]};

        if (random_below(3) == 0) {
            value = (struct flat_page){0};
            assert_true(ept_unmap(&ept, MODEL_BASE + start, size));
        } else {
            assert_true(map_as(&ept, MODEL_BASE + start, hpa, size, value.rights, value.type));
        }
        for (uint64_t page = start / PAGE_SIZE; page < (start + size) / PAGE_SIZE; page++) {
            value.hpa = hpa + (page * PAGE_SIZE - start);
            model[page] = value;
        }
        for (unsigned i = 0; i < 200; i++)
            compare_page(&ept, model, random_below(MODEL_PAGES));
        compare_page(&ept, model, start / PAGE_SIZE);
        compare_page(&ept, model, (start + size) / PAGE_SIZE - 1);
        if (start)
            compare_page(&ept, model, start / PAGE_SIZE - 1);
        if (start + size < MODEL_PAGES * PAGE_SIZE)
            compare_page(&ept, model, (start + size) / PAGE_SIZE);
    }
    for (uint64_t page = 0; page < MODEL_PAGES; page++)
        compare_page(&ept, model, page);
    free(model);
}

static void test_ept_random(void **test)
{
    for (unsigned levels = 1; levels <= 3; levels++)
        run_model(levels);
}

/* P and A, and what each flag stands for: SDM volume 3, "4-Level Paging". */
static uint64_t entry_bits(uint64_t flags)
{
    return 0x21 | (flags & PAGING_W ? 0x42 : 0) | (flags & PAGING_U ? 4 : 0) |
           (flags & PAGING_NX ? BIT(63) : 0) | (flags & PAGING_UC ? 0x18 : 0) |
           (flags & PAGING_G ? 0x100 : 0);
}

/* The entry of a 4-KiB page. */
static uint64_t leaf_of(const uint64_t *table, uint64_t virt)
{
    for (unsigned shift = 39; shift > 12; shift -= 9)
        table = virt_of(table[virt >> shift & 511] & 0x000ffffffffff000);
    return table[virt >> 12 & 511];
}

static void test_paging(void **test)
{
    static const uint64_t virts[] = {0xffffffff80000000, 0xffff800000000000, 0x400000,
                                     0x7ffffffff000};
    static const uint64_t all[] = {PAGING_W, PAGING_U, PAGING_NX, PAGING_UC, PAGING_G};
    uint64_t *root = table_page();
    uint64_t phys;

    for (size_t i = 0; i < ARRAY_SIZE(virts); i++) {
        assert_false(paging_lookup(root, virts[i], &phys));
        for (unsigned set = 0; set < BIT(ARRAY_SIZE(all)); set++) {
            uint64_t flags = 0;
            for (unsigned n = 0; n < ARRAY_SIZE(all); n++)
                flags |= set & BIT(n) ? all[n] : 0;
            assert_true(paging_map(root, virts[i], 0x123000, PAGE_SIZE, flags));
            assert_true(paging_lookup(root, virts[i] + 0xabc, &phys));
            assert_int_equal(phys, 0x123abc);
            assert_int_equal(leaf_of(root, virts[i]), 0x123000 | entry_bits(flags));
        }
    }
    assert_false(paging_map(root, BIT(47), 0, PAGE_SIZE, 0));
    assert_false(paging_map(root, BIT(47) - PAGE_SIZE, 0, 2 * PAGE_SIZE, 0));
    assert_false(paging_map(root, -PAGE_SIZE, 0, 2 * PAGE_SIZE, 0));
    assert_true(paging_map(root, -PAGE_SIZE, 0, PAGE_SIZE, 0));
    assert_false(paging_lookup(root, BIT(47), &phys));
}

static const uint64_t *descend(const uint64_t *table, unsigned index)
{
    assert_int_equal(table[index] & 0xfff, 0x27); /* P, W, U, A: the leaf decides */
    return virt_of(table[index] & 0x000ffffffffff000);
}

/* The bits that the CPU reads: SDM volume 3, "4-Level Paging". */
static void test_paging_entries(void **test)
{
    uint64_t *root = table_page();
    const uint64_t *pd;

    assert_true(paging_map(root, 0, 0, HUGE_PAGE, PAGING_W | PAGING_NX | PAGING_G));
    assert_true(paging_map(root, HUGE_PAGE, HUGE_PAGE, HUGE_PAGE, PAGING_W | PAGING_UC));
    pd = descend(descend(root, 0), 1);
    assert_int_equal(pd[0], 0x400000fb);
    assert_int_equal(pd[511], HUGE_PAGE + 511 * LARGE_PAGE + 0xfb);
    /* One page of a 2-MiB page becomes read-only; its neighbours keep their flags, NX too. */
    assert_true(paging_map(root, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, PAGING_NX));
    pd = descend(descend(root, 0), 0);
    assert_int_equal(pd[1], BIT(63) | (LARGE_PAGE + 0x1e3));
    assert_int_equal(descend(pd, 0)[0], BIT(63) | 0x163);
    assert_int_equal(descend(pd, 0)[1], BIT(63) | 0x1021);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ept_sizes, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_misaligned_target, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_execute, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_execute_small, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_tracked, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_entries, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_refuses, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_split, begin, end),
        cmocka_unit_test_setup_teardown(test_out_of_tables, begin, end),
        cmocka_unit_test_setup_teardown(test_ept_random, begin, end),
        cmocka_unit_test_setup_teardown(test_paging, begin, end),
        cmocka_unit_test_setup_teardown(test_paging_entries, begin, end),
    };

    return cmocka_run_group_tests_name("page tables", tests, NULL, NULL);
}
