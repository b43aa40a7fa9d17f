/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC with a processor that delivers (R40, R41): the plain model of
 * vlapic_model.h must not see who does it. The processor is a second small model, of the SDM's
 * "Virtual-Interrupt Delivery", on the same page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/vm/vlapic.h"
#include "tests/native/vm/vlapic_model.h"

#define RUNS       300
#define OPERATIONS 2000

#define TPR 0x80
#define PPR 0xa0
#define ISR 0x100
#define IRR 0x200

static uint32_t page[1024];
static struct vlapic apic;
static struct model model;
static struct {
    uint16_t status;
    uint64_t eoi_exits[4];
} cpu;
static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % limit;
}

static uint8_t random_vector(void)
{
    return (uint8_t)(16 + random_below(240));
}

static void change_bit(unsigned offset, unsigned vector)
{
    page[(offset + vector / 32 * 16) / 4] ^= 1u << vector % 32;
}

static unsigned highest(unsigned offset)
{
    for (unsigned vector = 255; vector > 0; vector--)
        if (page[(offset + vector / 32 * 16) / 4] >> vector % 32 & 1)
            return vector;
    return 0;
}

static void cpu_set_status(unsigned rvi, unsigned svi)
{
    cpu.status = (uint16_t)(svi << 8 | rvi);
}

static void cpu_virtualize_ppr(void)
{
    uint32_t tpr = page[TPR / 4], in_service = cpu.status >> 8;
    page[PPR / 4] = tpr >> 4 >= in_service >> 4 ? tpr : in_service & 0xf0;
}

static int cpu_pending(void)
{
    unsigned requested = cpu.status & 0xff;
    return requested >> 4 > page[PPR / 4] >> 4 ? (int)requested : -1;
}

static void cpu_deliver(void)
{
    unsigned vector = cpu.status & 0xff;
    change_bit(ISR, vector);
    change_bit(IRR, vector);
    cpu_set_status(highest(IRR), vector);
    page[PPR / 4] = vector & 0xf0;
}

/* Returns the vector if that exits. */
static int cpu_eoi(void)
{
    unsigned vector = cpu.status >> 8;
    if (vector == 0)
        return -1;
    change_bit(ISR, vector);
    cpu_set_status(cpu.status & 0xff, highest(ISR));
    cpu_virtualize_ppr();
    return cpu.eoi_exits[vector / 64] >> vector % 64 & 1 ? (int)vector : -1;
}

/* What a VM entry tells and does. */
static void enter(void)
{
    cpu.status = vlapic_request(&apic, cpu.status);
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE);
    if (apic.levels_changed)
        for (unsigned n = 0; n < 4; n++)
            cpu.eoi_exits[n] = vlapic_eoi_exits(&apic, n);
    apic.levels_changed = false;
    assert_int_equal(cpu.status, highest(ISR) << 8 | highest(IRR));
    cpu_virtualize_ppr();
}

/* The caller's part when the guest writes SVR. */
static void update(void)
{
    if (vlapic_can_hand_over(&apic) && !apic.handed_over) {
        cpu.status = vlapic_hand_over(&apic);
        assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE); /* the status tells all */
    } else if (!vlapic_can_hand_over(&apic) && apic.handed_over) {
        vlapic_take_back(&apic);
    }
}

static void write_svr(bool enable)
{
    struct vlapic_effect effect;
    uint32_t value = enable ? 0x1ff : 0xff;

    assert_int_equal(vlapic_write_msr(&apic, 0x80f, value, 0, &effect), VLAPIC_OK);
    assert_true(effect.what & VLAPIC_EFFECT_ENABLE);
    model_write(&model, 0xf0, value, 0);
    update();
}

/* The guest runs: one thing that the processor does by itself, or software in its place. */
static void run_guest(void)
{
    unsigned what = random_below(4);
    bool by_cpu = apic.handed_over;

    if (by_cpu)
        enter();
    assert_int_equal(by_cpu ? cpu_pending() : vlapic_highest_pending(&apic), model_pending(&model));
    if (what == 0 && model_pending(&model) >= 0) {
        if (by_cpu)
            cpu_deliver();
        else
            vlapic_accept(&apic, (uint8_t)vlapic_highest_pending(&apic));
        model_accept(&model);
    } else if (what == 1) {
        assert_int_equal(by_cpu ? cpu_eoi() : vlapic_eoi(&apic), model_eoi(&model));
    } else if (what == 2) {
        model.tpr = random_below(3) ? 0 : random_below(16) * 16;
        if (by_cpu) {
            page[TPR / 4] = model.tpr;
            cpu_virtualize_ppr();
        } else {
            vlapic_write_cr8(&apic, model.tpr / 16);
        }
    }
}

/* HLT, and what is delivered until the guest runs again. */
static void halt(void)
{
    if (apic.handed_over) {
        enter();
        vlapic_halted(&apic, cpu.status);
    }
    for (uint32_t n = random_below(3); n > 0; n--) {
        assert_int_equal(vlapic_wakes(&apic), model_pending(&model) >= 0);
        uint8_t vector = random_vector();
        vlapic_deliver(&apic, vector, false);
        model_deliver(&model, vector, false);
    }
    assert_int_equal(vlapic_wakes(&apic), model_pending(&model) >= 0);
}

static void compare(void)
{
    for (unsigned offset = 0; offset < 0x400; offset += 16) {
        uint64_t value = 0;
        if (model_readable(&model, offset)) {
            assert_int_equal(vlapic_read_msr(&apic, 0x800 + offset / 16, 0, &value), VLAPIC_OK);
            assert_int_equal(value, model_read(&model, offset));
        }
    }
}

static void same_as_model(void **state)
{
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        vlapic_reset(&apic, page, 3, false);
        vlapic_write_base(&apic, apic.base | APIC_BASE_X2APIC);
        model_reset(&model, 3, apic.base);
        write_svr(true);
        assert_true(apic.handed_over);
        for (unsigned i = 0; i < OPERATIONS; i++) {
            uint32_t what = random_below(16);
            if (what < 5) {
                uint8_t vector = random_vector();
                bool level = random_below(2);
                assert_int_equal(vlapic_deliver(&apic, vector, level),
                                 model_deliver(&model, vector, level));
            } else if (what == 5) {
                halt();
            } else if (what == 6) {
                write_svr(random_below(4));
            } else {
                run_guest();
            }
            compare();
        }
    }
}

/* Leaving x2APIC mode and INIT end it, with nothing left. */
static void ends_with_the_mode(void **state)
{
    vlapic_reset(&apic, page, 3, false);
    assert_false(vlapic_can_hand_over(&apic));
    vlapic_write_base(&apic, apic.base | APIC_BASE_X2APIC);
    assert_false(vlapic_can_hand_over(&apic)); /* software-disabled */
    write_svr(true);
    vlapic_deliver(&apic, 0x55, true);
    assert_int_equal(vlapic_request(&apic, 0x2030), 0x2055);
    assert_int_equal(vlapic_request(&apic, 0x2030), 0x2030);
    vlapic_write_base(&apic, 0xfee00000);
    assert_false(apic.handed_over);
    assert_false(vlapic_can_hand_over(&apic));
    assert_int_equal(vlapic_highest_pending(&apic), VLAPIC_NONE);
}

/* Each access that the processor answers is one that software would let through, and
 * not a timer's. */
static void virtualized_registers(void **state)
{
    uint64_t value;

    vlapic_reset(&apic, page, 3, false);
    vlapic_write_base(&apic, apic.base | APIC_BASE_X2APIC);
    for (uint32_t msr = 0x800; msr < 0xa00; msr++) {
        bool readable = vlapic_read_msr(&apic, msr, 0, &value) == VLAPIC_OK;
        assert_int_equal(vlapic_is_virtualized(msr, false), readable && msr != 0x839);
        assert_int_equal(vlapic_is_virtualized(msr, true),
                         msr == 0x808 || msr == 0x80b || msr == 0x83f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_model),
        cmocka_unit_test(ends_with_the_mode),
        cmocka_unit_test(virtualized_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
