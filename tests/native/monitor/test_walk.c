/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walker against a naive one, on random page tables: the naive one collects the entries on
 * the way first, and then asks one rule of the SDM (volume 3, "Paging") after the other.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/walk.h"
#include "monitor/x86.h"
#include "tests/native/monitor/fakes.h"

#define MEMORY 0x40000ULL /* small: random tables meet often */

static uint8_t *ram, *shadow; /* the shadow has the flags that should be set */
static struct guest_memory memory;
static unsigned physical_bits;

struct path {
    uint64_t entry[4]; /* from the root to the leaf */
    uint64_t at[4];
    unsigned size; /* of an entry */
    unsigned count;
    unsigned shift; /* of the page */
    uint64_t base;
    bool absent, reserved;
};

/* What is no RAM reads as all ones. */
static uint64_t read_entry(struct path *p, uint64_t address)
{
    uint64_t value = UINT64_MAX >> (64 - p->size * 8);

    if (address + p->size <= MEMORY)
        memcpy(&value, ram + address, p->size);
    p->at[p->count] = address;
    p->entry[p->count++] = value;
    p->absent = !(value & 1);
    return value;
}

static bool any_bit(uint64_t value, unsigned high, unsigned low)
{
    for (unsigned bit = low; bit <= high; bit++)
        if (value >> bit & 1)
            return true;
    return false;
}

/* The tables of formats of entries: "PAE Paging" and "4-Level Paging". */
static bool naive_reserved(const struct guest_state *s, uint64_t e, int level, bool large)
{
    bool pae = !(s->efer & EFER_LMA);

    if (any_bit(e, 51, physical_bits) || (pae && any_bit(e, 62, 52)))
        return true;
    if (e >> 63 && !(s->efer & EFER_NXE))
        return true;
    if (level == 4 || (level == 3 && !memory.pages_1g))
        return e & 0x80;
    return large && any_bit(e, level == 3 ? 29 : 20, 13);
}

static void naive_64(const struct guest_state *s, uint64_t linear, struct path *p)
{
    bool pae = !(s->efer & EFER_LMA);
    uint64_t table = (pae ? s->pdpte[linear >> 30 & 3] : s->cr3) & 0x000ffffffffff000;

    p->size = 8;
    p->absent = pae && !(s->pdpte[linear >> 30 & 3] & 1);
    for (int level = pae ? 2 : 4; level >= 1 && !p->absent; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        uint64_t e = read_entry(p, table + (linear >> shift & 511) * 8);
        bool large = level > 1 && e & 0x80;

        if (p->absent)
            return;
        p->reserved = naive_reserved(s, e, level, large);
        table = e & 0x000ffffffffff000;
        p->shift = shift;
        if (p->reserved || large)
            break;
    }
    p->base = table >> p->shift << p->shift;
}

static void naive_32(const struct guest_state *s, uint64_t linear, struct path *p)
{
    p->size = 4;

    uint64_t e = read_entry(p, (s->cr3 & 0xfffff000) + (linear >> 22) * 4);
    unsigned bits = physical_bits < 40 ? physical_bits : 40;

    if (p->absent)
        return;
    if (e & 0x80 && s->cr4 & CR4_PSE) {
        p->reserved = any_bit(e, 21, bits - 19);
        p->shift = 22;
        p->base = (e & 0xffc00000) | (e >> 13 & 0xff) << 32;
        return;
    }
    e = read_entry(p, (e & 0xfffff000) + (linear >> 12 & 0x3ff) * 4);
    p->shift = 12;
    p->base = e & 0xfffff000;
}

static bool every(const struct path *p, uint64_t bit)
{
    for (unsigned i = 0; i < p->count; i++)
        if (!(p->entry[i] & bit))
            return false;
    return true;
}

static bool any_nx(const struct path *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->entry[i] >> 63)
            return true;
    return false;
}

static bool naive_allowed(const struct guest_state *s, const struct path *p,
                          enum walk_access access)
{
    bool user_mode = (s->segment[SEG_SS].access >> 5 & 3) == 3;
    bool user_page = every(p, 4), writable = every(p, 2);

    if (user_mode && !user_page)
        return false;
    if (access == WALK_WRITE && !writable && (user_mode || s->cr0 & CR0_WP))
        return false;
    if (access == WALK_FETCH && s->efer & EFER_NXE && any_nx(p))
        return false;
    if (access == WALK_FETCH && !user_mode && user_page && s->cr4 & CR4_SMEP)
        return false;
    if (access != WALK_FETCH && !user_mode && user_page && s->cr4 & CR4_SMAP &&
        !(s->rflags & RFLAGS_AC))
        return false;
    return true;
}

/* "Protection Keys", and of the page fault's error code the bit that tells of them. */
static bool naive_key(const struct guest_state *s, const struct path *p, enum walk_access access)
{
    bool user_mode = (s->segment[SEG_SS].access >> 5 & 3) == 3, user_page = every(p, 4);
    unsigned key = p->entry[p->count - 1] >> 59 & 15;
    uint32_t reg = user_page ? (uint32_t)fakes.keys : fakes.keys >> 32;

    if (!(s->efer & EFER_LMA) || access == WALK_FETCH)
        return false;
    if (!(s->cr4 & (user_page ? CR4_PKE : CR4_PKS)))
        return false;
    if (reg >> (2 * key) & 1)
        return true;
    return reg >> (2 * key + 1) & 1 && access == WALK_WRITE && (user_mode || s->cr0 & CR0_WP);
}

/* "Accessed and Dirty Flags": in the shadow. */
static void naive_flags(const struct path *p, enum walk_access access)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->at[i] + p->size <= MEMORY)
            shadow[p->at[i]] |= access == WALK_WRITE && i + 1 == p->count ? 0x60 : 0x20;
}

/* Returns whether it is allowed; otherwise the error code. */
static bool naive(const struct guest_state *s, uint64_t linear, enum walk_access access,
                  uint64_t *physical, uint32_t *error)
{
    struct path p = {0};
    bool wide = s->efer & EFER_LMA || s->cr4 & CR4_PAE;

    if (wide)
        naive_64(s, linear, &p);
    else
        naive_32(s, linear, &p);
    *physical = p.base + (linear & ((1ULL << p.shift) - 1));
    bool key = !p.absent && !p.reserved && naive_key(s, &p, access);
    if (!p.absent && !p.reserved && naive_allowed(s, &p, access) && !key) {
        naive_flags(&p, access);
        return true;
    }
    *error = (p.absent ? 0 : 1) | (key ? 32 : 0) | (access == WALK_WRITE ? 2 : 0) |
             ((s->segment[SEG_SS].access >> 5 & 3) == 3 ? 4 : 0) | (p.reserved ? 8 : 0);
    if (access == WALK_FETCH && ((wide && s->efer & EFER_NXE) || s->cr4 & CR4_SMEP))
        *error |= 16;
    return false;
}

/* Tables full of entries that mostly point to other tables in RAM. */
static void random_tables(bool wide)
{
    for (uint64_t i = 0; i < MEMORY / 8; i++) {
        uint64_t e = (random_u64() % (MEMORY / 0x1000 + 1)) << 12 | (random_u64() & 0xf7f) | 1;

        if (random_u64() % 8 != 0)
            e |= 6;
        if (random_u64() % 6 == 0)
            e |= 0x80;
        if (random_u64() % 16 == 0)
            e &= ~1ULL;
        if (random_u64() % 12 == 0)
            e |= random_u64() & 0x00000000003fe000;
        if (wide && random_u64() % 12 == 0)
            e |= 1ULL << 63;
        if (wide && random_u64() % 4 == 0) /* a key */
            e |= (random_u64() & 0xf) << 59;
        if (wide && random_u64() % 12 == 0) /* ignored, reserved, or beyond the processor */
            e |= 1ULL << (40 + random_u64() % 23);
        if (!wide)
            e |= e << 32;
        memcpy(ram + i * 8, &e, 8);
    }
    memcpy(shadow, ram, MEMORY);
    physical_bits = 36 + random_u64() % 17;
    memory.beyond = GUEST_ADDRESS_BITS & ~((1ULL << physical_bits) - 1);
    memory.pages_1g = random_u64() % 2;
}

static struct guest_state random_state(void)
{
    uint64_t r = random_u64();
    struct guest_state s = {
        .cr0 = CR0_PG | CR0_PE | (r & 1 ? CR0_WP : 0),
        .cr3 = (r >> 8) % (MEMORY / 0x1000) << 12,
        .cr4 = (r & 2 ? CR4_SMEP : 0) | (r & 4 ? CR4_SMAP : 0) | (r & 8 ? CR4_PSE : 0),
        .rflags = r & 16 ? RFLAGS_AC : 0,
    };

    s.segment[SEG_SS].access = r & 32 ? 0x60 : 0;
    switch (r >> 6 & 3) {
    case 0:
        break;
    case 1:
        s.cr4 |= CR4_PAE;
        s.efer = r & 128 << 8 ? EFER_NXE : 0;
        for (unsigned i = 0; i < 4; i++)
            s.pdpte[i] = random_u64() % (MEMORY / 0x1000) << 12 | (random_u64() % 8 != 0);
        break;
    default:
        s.cr4 |= CR4_PAE;
        s.efer = EFER_LME | EFER_LMA | (random_u64() & 1 ? EFER_NXE : 0);
        break;
    }
    s.cr4 |= (random_u64() & 1 ? CR4_PKE : 0) | (random_u64() & 1 ? CR4_PKS : 0);
    fakes.keys = random_u64() & random_u64();
    return s;
}

static int setup(void **state)
{
    ram = malloc(MEMORY); /* so that a step outside is seen */
    shadow = malloc(MEMORY);
    memory = guest_memory_make(ram, MEMORY);
    return ram == NULL || shadow == NULL;
}

static int teardown(void **state)
{
    free(ram);
    free(shadow);
    return 0;
}

static void against_naive(void **state)
{
    unsigned good = 0, bad[64] = {0};

    for (int i = 0; i < 400000; i++) {
        struct guest_state s = random_state();
        uint64_t linear = s.efer & EFER_LMA ? (uint64_t)((int64_t)(random_u64() << 16) >> 16)
                                            : (uint32_t)random_u64();
        enum walk_access access = (enum walk_access)(random_u64() % 3);
        uint64_t physical = 0, expected = 0;
        uint32_t error = 0;
        struct emulate_fault fault = {0};

        if (i % 2000 == 0) {
            assert_true(i == 0 || memcmp(ram, shadow, MEMORY) == 0);
            random_tables(i / 2000 % 2);
        }
        bool allowed = naive(&s, linear, access, &expected, &error);

        assert_int_equal(walk(&memory, &s, linear, access, &physical, &fault), allowed);
        if (allowed) {
            assert_int_equal(physical, expected);
            good++;
        } else {
            assert_int_equal(fault.vector, VECTOR_PF);
            assert_true(fault.has_error_code);
            assert_int_equal(fault.error_code, error);
            assert_int_equal(fault.cr2, linear);
            bad[error]++;
        }
    }
    assert_in_range(good, 10000, 390000); /* both happen often */
    for (unsigned code = 0; code < 24; code++)
        if (!((code & 2) && (code & 16)) && !((code & 8) && !(code & 1)))
            assert_in_range(bad[code], 1, 400000);
    for (unsigned code = 0x21; code < 0x28; code += 2) /* by a key: read, written, by whom */
        assert_in_range(bad[code], 100, 400000);
}

static void flags(void **state)
{
    uint64_t *tables = (uint64_t *)ram, physical;
    struct emulate_fault fault;
    struct guest_state s = {
        .cr0 = CR0_PG | CR0_PE, .cr3 = 0x1000, .cr4 = CR4_PAE, .efer = EFER_LMA | EFER_LME};

    memset(ram, 0, MEMORY);
    tables[0x200] = 0x2003;
    tables[0x400] = 0x3003;
    tables[0x600] = 0x4003;
    tables[0x800 + 5] = 0x7003;
    assert_true(walk(&memory, &s, 0x5123, WALK_READ, &physical, &fault));
    assert_int_equal(physical, 0x7123);
    assert_int_equal(tables[0x200], 0x2023);
    assert_int_equal(tables[0x400], 0x3023);
    assert_int_equal(tables[0x600], 0x4023);
    assert_int_equal(tables[0x805], 0x7023);
    assert_true(walk(&memory, &s, 0x5123, WALK_WRITE, &physical, &fault));
    assert_int_equal(tables[0x600], 0x4023);
    assert_int_equal(tables[0x805], 0x7063);
}

static void others(void **state)
{
    struct guest_state s = {.cr0 = CR0_PE};
    struct emulate_fault fault;
    uint64_t physical;

    assert_true(walk(&memory, &s, 0x1fee00080, WALK_WRITE, &physical, &fault));
    assert_int_equal(physical, 0xfee00080); /* no paging: 32 bits */
    s = (struct guest_state){.cr0 = CR0_PG | CR0_PE, .cr4 = CR4_PAE, .efer = EFER_LMA};
    assert_false(walk(&memory, &s, 0x0000800000000000, WALK_READ, &physical, &fault));
    assert_int_equal(fault.vector, VECTOR_GP);
    assert_int_equal(fault.error_code, 0);
}

#define RACES 200000

static volatile bool raced;

/* The other vCPU: takes an entry away before somebody has used it. Nobody does then. */
static void *take_away(void *is_64)
{
    uint64_t *leaf = (uint64_t *)(ram + 0x4000);

    for (unsigned i = 0; i < RACES; i++) {
        __atomic_store_n(leaf, is_64 != NULL ? 0x5003 : 0x500300005003, __ATOMIC_SEQ_CST);
        for (volatile unsigned wait = 0; wait < i % 64;)
            wait++;
        __atomic_store_n(leaf, 0, __ATOMIC_SEQ_CST);
        for (volatile unsigned wait = 0; wait < 32;)
            wait++;
        raced |= __atomic_load_n(leaf, __ATOMIC_SEQ_CST) != 0;
    }
    return NULL;
}

static void race(const struct guest_state *s, bool is_64)
{
    struct emulate_fault fault;
    uint64_t physical;
    pthread_t other;

    raced = false;
    assert_int_equal(pthread_create(&other, NULL, take_away, is_64 ? ram : NULL), 0);
    for (unsigned i = 0; i < RACES; i++)
        if (walk(&memory, s, 0, WALK_WRITE, &physical, &fault))
            assert_int_equal(physical, 0x5000);
        else
            assert_int_equal(fault.error_code & 1, 0);
    pthread_join(other, NULL);
    assert_false(raced);
}

/* What is not present has no flags set: its bits are the kernel's own. */
static void changed_meanwhile(void **state)
{
    struct guest_state s = {.cr0 = CR0_PG | CR0_PE, .cr3 = 0x1000};

    physical_bits = 40;
    memory = guest_memory_make(ram, MEMORY);
    memset(ram, 0, MEMORY);
    *(uint32_t *)(ram + 0x1000) = 0x4003;
    race(&s, false);
    *(uint64_t *)(ram + 0x1000) = 0x2003;
    *(uint64_t *)(ram + 0x2000) = 0x3003;
    *(uint64_t *)(ram + 0x3000) = 0x4003;
    s.cr4 = CR4_PAE;
    s.efer = EFER_LMA;
    race(&s, true);
}

static void bounds(void **state)
{
    struct guest_memory m = guest_memory_make(ram, 0x100000000);

    assert_ptr_equal(guest_memory_at(&m, 0, PLAN_HOLE_START), ram);
    assert_null(guest_memory_at(&m, 0, PLAN_HOLE_START + 1));
    assert_null(guest_memory_at(&m, PLAN_HOLE_START, 0));
    assert_null(guest_memory_at(&m, PLAN_HOLE_END - 1, 1));
    assert_ptr_equal(guest_memory_at(&m, PLAN_HOLE_END, 0x40000000), ram + PLAN_HOLE_END);
    assert_null(guest_memory_at(&m, PLAN_HOLE_END, 0x40000001));
    assert_null(guest_memory_at(&m, 0x1000, UINT64_MAX));
    assert_null(guest_memory_at(&m, UINT64_MAX, 1));
    m = guest_memory_make(ram, MEMORY);
    assert_null(guest_memory_at(&m, PLAN_HOLE_END, 1));
    assert_null(guest_memory_at(&m, MEMORY - 7, 8));
    assert_non_null(guest_memory_at(&m, MEMORY - 8, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_naive),     cmocka_unit_test(flags),  cmocka_unit_test(others),
        cmocka_unit_test(changed_meanwhile), cmocka_unit_test(bounds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
