/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt messages and their targets (R41). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/vm/vlapic.h"

#define COUNT 4

static uint32_t pages[COUNT][1024];
static struct vlapic apics[COUNT];
static const struct vlapic *all[COUNT];
static struct vlapic_effect effect;

static int xapic(void **state)
{
    for (unsigned i = 0; i < COUNT; i++) {
        all[i] = &apics[i];
        vlapic_reset(&apics[i], pages[i], i, i == 0);
        vlapic_write_mmio(&apics[i], 0xf0, 0x1ff, 0, &effect);
        vlapic_write_mmio(&apics[i], 0xd0, 0x01000000u << i, 0, &effect);
    }
    return 0;
}

static int x2apic(void **state)
{
    xapic(state);
    for (unsigned i = 0; i < COUNT; i++)
        vlapic_write_base(&apics[i], apics[i].base | APIC_BASE_X2APIC);
    return 0;
}

static uint64_t targets(uint64_t address, uint32_t data)
{
    struct apic_message m;
    assert_true(vlapic_message(address, data, &m));
    return vlapic_targets(all, COUNT, VLAPIC_NONE, &m);
}

static void decode(void **state)
{
    struct apic_message m;
    assert_false(vlapic_message(0xfed00000, 0x41, &m));
    assert_false(vlapic_message(0x1fee00000, 0x41, &m));
    assert_true(vlapic_message(0xfee12004, 0x8141, &m));
    assert_int_equal(m.destination, 0x12);
    assert_int_equal(m.vector, 0x41);
    assert_int_equal(m.delivery, APIC_LOWEST_PRIORITY);
    assert_true(m.logical && m.level && m.lowest && !m.x2apic);
    assert_true(vlapic_message(0xfee01000, 0x0700, &m));
    assert_int_equal(m.delivery, APIC_EXTINT);
    assert_false(m.logical || m.level || m.lowest);
}

static void physical(void **state)
{
    assert_int_equal(targets(0xfee02000, 0x41), 1 << 2);
    assert_int_equal(targets(0xfeeff000, 0x41), 0xf);
    assert_int_equal(targets(0xfee09000, 0x41), 0);
}

static void logical_flat(void **state)
{
    assert_int_equal(targets(0xfee0a004, 0x41), 0xa);
    assert_int_equal(targets(0xfeeff004, 0x41), 0xf);
}

static void logical_cluster(void **state)
{
    for (unsigned i = 0; i < COUNT; i++) {
        vlapic_write_mmio(&apics[i], 0xe0, 0, 0, &effect);
        vlapic_write_mmio(&apics[i], 0xd0, (i / 2) << 28 | 1u << (i % 2) << 24, 0, &effect);
    }
    assert_int_equal(targets(0xfee03004, 0x41), 0x3);
    assert_int_equal(targets(0xfee12004, 0x41), 0x8);
    assert_int_equal(targets(0xfee23004, 0x41), 0);
}

static void logical_x2apic(void **state)
{
    struct apic_message m = {.destination = 0x6, .logical = true, .x2apic = true};
    assert_int_equal(vlapic_targets(all, COUNT, 0, &m), 0x6);
    m.destination = 0x1000f;
    assert_int_equal(vlapic_targets(all, COUNT, 0, &m), 0);
    m.destination = UINT32_MAX;
    assert_int_equal(vlapic_targets(all, COUNT, 0, &m), 0xf);
    m = (struct apic_message){.destination = 0xff, .x2apic = true};
    assert_int_equal(vlapic_targets(all, COUNT, 0, &m), 0);
}

static void lowest_priority(void **state)
{
    vlapic_write_cr8(&apics[1], 3);
    vlapic_write_cr8(&apics[2], 2);
    vlapic_write_cr8(&apics[3], 2);
    assert_int_equal(targets(0xfee0e004, 0x141), 1 << 2);
    vlapic_write_mmio(&apics[2], 0xf0, 0xff, 0, &effect); /* software-disabled: cannot accept */
    assert_int_equal(targets(0xfee0e004, 0x141), 1 << 3);
    assert_int_equal(targets(0xfee0e00c, 0x041), 1 << 3); /* redirection hint */
}

static void shorthands(void **state)
{
    struct apic_message m = {.shorthand = APIC_TO_SELF};
    assert_int_equal(vlapic_targets(all, COUNT, 2, &m), 1 << 2);
    m.shorthand = APIC_TO_ALL;
    assert_int_equal(vlapic_targets(all, COUNT, 2, &m), 0xf);
    m.shorthand = APIC_TO_OTHERS;
    assert_int_equal(vlapic_targets(all, COUNT, 2, &m), 0xb);
    vlapic_write_base(&apics[3], 0xfee00000);
    assert_int_equal(vlapic_targets(all, COUNT, 2, &m), 0x3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode),
        cmocka_unit_test_setup(physical, xapic),
        cmocka_unit_test_setup(physical, x2apic),
        cmocka_unit_test_setup(logical_flat, xapic),
        cmocka_unit_test_setup(logical_cluster, xapic),
        cmocka_unit_test_setup(logical_x2apic, x2apic),
        cmocka_unit_test_setup(lowest_priority, xapic),
        cmocka_unit_test_setup(shorthands, xapic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
