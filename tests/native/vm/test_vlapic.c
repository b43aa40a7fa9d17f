/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual local APIC: its rules one by one (R40, R41). test_vlapic_random.c compares it with a
 * model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/vm/vlapic.h"

static uint32_t page[1024];
static struct vlapic apic;
static struct vlapic_effect effect;

static void write_x2(uint32_t msr, uint64_t value, uint64_t now)
{
    assert_int_equal(vlapic_write_msr(&apic, msr, value, now, &effect), VLAPIC_OK);
}

static uint64_t read_x2(uint32_t msr, uint64_t now)
{
    uint64_t value = 0;
    assert_int_equal(vlapic_read_msr(&apic, msr, now, &value), VLAPIC_OK);
    return value;
}

/* Enabled, in x2APIC mode. */
static int setup(void **state)
{
    vlapic_reset(&apic, page, 5, false);
    vlapic_write_base(&apic, apic.base | APIC_BASE_X2APIC);
    vlapic_write_msr(&apic, 0x80f, 0x1ff, 0, &effect);
    return 0;
}

static void reset_values(void **state)
{
    vlapic_reset(&apic, page, 5, true);
    assert_int_equal(apic.base, 0xfee00900);
    assert_int_equal(vlapic_read_mmio(&apic, 0x20, 0), 5u << 24);
    assert_int_equal(vlapic_read_mmio(&apic, 0xf0, 0), 0xff);
    assert_int_equal(vlapic_read_mmio(&apic, 0xe0, 0), 0xffffffff);
    assert_int_equal(vlapic_read_mmio(&apic, 0x350, 0), 0x10000);
    assert_int_equal(vlapic_read_mmio(&apic, 0x30, 0), 0x50014);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE);
    assert_true(vlapic_timer_left(&apic, 0) == VLAPIC_NEVER);
    assert_false(vlapic_deliver(&apic, 0x40, false)); /* software-disabled */
}

static void init_keeps_mode_and_id(void **state)
{
    write_x2(0x808, 0x50, 0);
    vlapic_deliver(&apic, 0x80, true);
    vlapic_init(&apic);
    assert_int_equal(vlapic_mode(&apic), VLAPIC_X2APIC);
    assert_int_equal(read_x2(0x802, 0), 5);
    assert_int_equal(read_x2(0x80d, 0), 0x20);
    assert_int_equal(read_x2(0x808, 0), 0);
    assert_int_equal(read_x2(0x824, 0), 0);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE);
}

/* Every transition between the four states of the two enable bits. */
static void base_transitions(void **state)
{
    static const uint64_t bits[4] = {0, 0x400, 0x800, 0xc00}; /* off, invalid, xAPIC, x2APIC */
    static const bool legal[4][4] = {
        {true, false, true, false}, {0}, {true, false, true, true}, {true, false, false, true}};
    for (unsigned from = 0; from < 4; from++)
        for (unsigned to = 0; to < 4; to++) {
            vlapic_reset(&apic, page, 1, false);
            if (from == 1)
                continue;
            if (from == 3)
                vlapic_write_base(&apic, 0xfee00c00);
            else
                vlapic_write_base(&apic, 0xfee00000 | bits[from]);
            uint64_t old = apic.base;
            enum vlapic_result result = vlapic_write_base(&apic, 0xfee00000 | bits[to]);
            assert_int_equal(result, legal[from][to] ? VLAPIC_OK : VLAPIC_GP);
            assert_true(apic.base == (legal[from][to] ? (0xfee00000 | bits[to]) : old));
        }
    vlapic_reset(&apic, page, 1, false);
    assert_int_equal(vlapic_write_base(&apic, 0xfee00a00), VLAPIC_GP);
    assert_int_equal(vlapic_write_base(&apic, 0xfee00801), VLAPIC_GP);
    assert_int_equal(vlapic_write_base(&apic, 0x100fee00800), VLAPIC_GP);
    /* The registers do not move. */
    for (unsigned bit = 12; bit < 64; bit++)
        assert_int_equal(vlapic_write_base(&apic, 0xfee00800 ^ 1ULL << bit), VLAPIC_GP);
    assert_true(apic.base == 0xfee00800);
}

static void wrong_mode(void **state)
{
    uint64_t value;
    assert_int_equal(vlapic_read_mmio(&apic, 0x30, 0), UINT32_MAX);
    vlapic_reset(&apic, page, 5, false);
    assert_int_equal(vlapic_read_msr(&apic, 0x803, 0, &value), VLAPIC_GP);
    assert_int_equal(vlapic_write_msr(&apic, 0x80b, 0, 0, &effect), VLAPIC_GP);
    vlapic_write_base(&apic, 0xfee00000);
    assert_int_equal(vlapic_read_mmio(&apic, 0x30, 0), UINT32_MAX);
    assert_false(vlapic_deliver(&apic, 0x40, false));
}

static void priorities(void **state)
{
    assert_true(vlapic_deliver(&apic, 0x41, false));
    assert_true(vlapic_deliver(&apic, 0x45, false));
    assert_int_equal(vlapic_highest_pending(&apic), 0x45);
    vlapic_accept(&apic, 0x45);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE); /* 41h is of the same class */
    assert_int_equal(read_x2(0x80a, 0), 0x40);
    vlapic_deliver(&apic, 0x52, true);
    assert_int_equal(vlapic_highest_pending(&apic), 0x52);
    vlapic_write_cr8(&apic, 5);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE);
    assert_int_equal(read_x2(0x808, 0), 0x50);
    vlapic_write_cr8(&apic, 4);
    assert_int_equal(vlapic_read_cr8(&apic), 4);
    vlapic_accept(&apic, 0x52);
    write_x2(0x80b, 0, 0);
    assert_int_equal(effect.what, VLAPIC_EFFECT_EOI);
    assert_int_equal(effect.eoi_vector, 0x52);
    write_x2(0x80b, 0, 0);
    assert_int_equal(effect.what, 0);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE); /* CR8 is 4 */
    vlapic_write_cr8(&apic, 3);
    assert_int_equal(vlapic_highest_pending(&apic), 0x41);
}

static void self_ipi(void **state)
{
    write_x2(0x83f, 0xf0, 0);
    assert_int_equal(effect.what, 0);
    assert_int_equal(vlapic_highest_pending(&apic), 0xf0);
    write_x2(0x830, 0x40000 | 0xf3, 0);
    assert_int_equal(effect.what, 0);
    assert_int_equal(vlapic_highest_pending(&apic), 0xf3);
    write_x2(0x83f, 3, 0);
    write_x2(0x828, 0, 0);
    assert_int_equal(read_x2(0x828, 0), 0x20);
}

static void icr(void **state)
{
    write_x2(0x830, 1ULL << 32 | 0x4500, 0);
    assert_int_equal(effect.what, VLAPIC_EFFECT_IPI);
    assert_int_equal(effect.ipi.delivery, APIC_INIT);
    assert_int_equal(effect.ipi.destination, 1);
    assert_true(effect.ipi.x2apic);
    write_x2(0x830, 0x8500, 0); /* INIT level de-assert */
    assert_int_equal(effect.what, 0);
    write_x2(0x830, 0x80400, 0); /* an NMI to all including oneself is no valid combination */
    assert_int_equal(effect.what, 0);
}

static void icr_refuses_reserved_bits(void **state)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        bool reserved = bit == 13 || bit == 16 || bit == 17 || bit >= 20;
        enum vlapic_result result = vlapic_write_msr(&apic, 0x830, 0x40 | 1ULL << bit, 0, &effect);
        assert_int_equal(result, reserved ? VLAPIC_GP : VLAPIC_OK);
    }
}

static void one_shot(void **state)
{
    write_x2(0x83e, 0x3, 100);  /* by 16 */
    write_x2(0x832, 0x31, 100); /* one-shot */
    write_x2(0x838, 10, 100);
    assert_int_equal(effect.what, VLAPIC_EFFECT_TIMER);
    assert_int_equal(vlapic_timer_left(&apic, 259), 1);
    assert_int_equal(read_x2(0x839, 115), 10);
    assert_int_equal(read_x2(0x839, 116), 9);
    vlapic_expire(&apic, 259);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE);
    vlapic_expire(&apic, 260);
    assert_int_equal(vlapic_highest_pending(&apic), 0x31);
    assert_true(vlapic_timer_left(&apic, 0) == VLAPIC_NEVER);
    assert_int_equal(read_x2(0x839, 1000), 0);
}

static void periodic(void **state)
{
    write_x2(0x83e, 0xb, 0); /* by 1 */
    write_x2(0x832, 0x20031, 0);
    write_x2(0x838, 100, 0);
    vlapic_expire(&apic, 100);
    assert_int_equal(vlapic_timer_left(&apic, 199), 1);
    vlapic_expire(&apic, 1050); /* late: the missed ones are one interrupt, the phase stays */
    assert_int_equal(vlapic_timer_left(&apic, 1099), 1);
    assert_int_equal(read_x2(0x839, 1050), 50);
    write_x2(0x832, 0x30031, 1060); /* masked: nothing to wake for */
    assert_true(vlapic_timer_left(&apic, 0) == VLAPIC_NEVER);
    assert_int_equal(read_x2(0x839, 1070), 30);
    write_x2(0x832, 0x20031, 1270);
    assert_int_equal(vlapic_timer_left(&apic, 1299), 1);
    write_x2(0x832, 0x00031, 1270); /* one-shot goes on from the same count */
    assert_int_equal(vlapic_timer_left(&apic, 1299), 1);
    vlapic_expire(&apic, 1300);
    write_x2(0x832, 0x20031, 1310); /* a count that has reached 0 does not start again */
    assert_true(vlapic_timer_left(&apic, 0) == VLAPIC_NEVER);
    assert_int_equal(read_x2(0x839, 1310), 0);
}

static void tsc_deadline(void **state)
{
    vlapic_write_tsc_deadline(&apic, 500, 10);
    assert_int_equal(vlapic_read_tsc_deadline(&apic, 10), 0); /* not in that mode */
    write_x2(0x832, 0x400ec, 10);
    vlapic_write_tsc_deadline(&apic, 500, 10);
    assert_int_equal(vlapic_timer_left(&apic, 499), 1);
    assert_int_equal(vlapic_read_tsc_deadline(&apic, 10), 500);
    write_x2(0x838, 100, 10);
    assert_int_equal(read_x2(0x838, 10), 0); /* ignored in this mode */
    vlapic_expire(&apic, 500);
    assert_int_equal(vlapic_highest_pending(&apic), 0xec);
    assert_int_equal(vlapic_read_tsc_deadline(&apic, 500), 0);
    vlapic_write_tsc_deadline(&apic, 400, 500); /* in the past: due at once */
    assert_int_equal(vlapic_timer_left(&apic, 500), 0);
    write_x2(0x832, 0x000ec, 600);
    assert_true(vlapic_timer_left(&apic, 0) == VLAPIC_NEVER);
}

/* A write of a new deadline does not lose the interrupt that was due before it. */
static void nothing_pending_is_lost(void **state)
{
    write_x2(0x832, 0x400ec, 0);
    vlapic_write_tsc_deadline(&apic, 100, 0);
    vlapic_write_tsc_deadline(&apic, 900, 101);
    assert_int_equal(vlapic_highest_pending(&apic), 0xec);
    assert_int_equal(vlapic_timer_left(&apic, 899), 1);
}

static void tsc_jump(void **state)
{
    write_x2(0x83e, 0xb, 0);
    write_x2(0x832, 0x31, 0);
    write_x2(0x838, 100, 0);
    vlapic_tsc_moved(&apic, 0, (uint64_t)-40);
    assert_int_equal(vlapic_timer_left(&apic, 59), 1);
    assert_int_equal(read_x2(0x839, (uint64_t)-10), 70);
}

static void xapic_errors(void **state)
{
    vlapic_reset(&apic, page, 5, false);
    vlapic_write_mmio(&apic, 0xf0, 0x1ff, 0, &effect);
    vlapic_write_mmio(&apic, 0x370, 0xfe, 0, &effect);
    assert_int_equal(vlapic_read_mmio(&apic, 0x40, 0), 0);
    assert_int_equal(vlapic_highest_pending(&apic), 0xfe);
    assert_int_equal(vlapic_read_mmio(&apic, 0x280, 0), 0);
    vlapic_write_mmio(&apic, 0x280, 0xffffffff, 0, &effect);
    assert_int_equal(vlapic_read_mmio(&apic, 0x280, 0), 0x80);
    vlapic_write_mmio(&apic, 0x280, 0, 0, &effect);
    assert_int_equal(vlapic_read_mmio(&apic, 0x280, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reset_values, setup),
        cmocka_unit_test_setup(init_keeps_mode_and_id, setup),
        cmocka_unit_test_setup(base_transitions, setup),
        cmocka_unit_test_setup(wrong_mode, setup),
        cmocka_unit_test_setup(priorities, setup),
        cmocka_unit_test_setup(self_ipi, setup),
        cmocka_unit_test_setup(icr, setup),
        cmocka_unit_test_setup(icr_refuses_reserved_bits, setup),
        cmocka_unit_test_setup(one_shot, setup),
        cmocka_unit_test_setup(periodic, setup),
        cmocka_unit_test_setup(tsc_deadline, setup),
        cmocka_unit_test_setup(nothing_pending_is_lost, setup),
        cmocka_unit_test_setup(tsc_jump, setup),
        cmocka_unit_test_setup(xapic_errors, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
