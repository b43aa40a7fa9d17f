/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual local APIC against the plain model of vlapic_model.h, with random operations (R40,
 * R41). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/vm/vlapic.h"
#include "tests/native/vm/vlapic_model.h"

#define RUNS       300
#define OPERATIONS 2000

static uint32_t page[1024];
static struct vlapic apic;
static struct model model;
static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % limit;
}

static unsigned random_vector(void)
{
    return random_below(20) == 0 ? random_below(16) : random_below(256);
}

/* Mostly offsets that are registers, and mostly those that do something. */
static unsigned random_offset(void)
{
    static const unsigned often[] = {0x80,  0xb0,  0xf0,  0x280, 0x300, 0x320, 0x320,
                                     0x350, 0x370, 0x380, 0x380, 0x3e0, 0x3f0};
    if (random_below(3) == 0)
        return random_below(64) * 16;
    return often[random_below(sizeof(often) / sizeof(often[0]))];
}

/* A value that makes sense for the register, at times with any other bit set too. */
static uint32_t random_value(unsigned offset)
{
    uint32_t noise = random_below(8) == 0 ? 1u << random_below(32) : 0;
    switch (offset) {
    case 0x80:
        return random_below(4) ? 0 : random_below(256) | noise;
    case 0xf0:
        return (random_below(8) ? 0x100 : 0) | random_vector() | noise;
    case 0x300:
        return random_vector() |
               (random_below(3) ? 0x40000 : random_below(0x1000) | random_below(4) << 14 | noise);
    case 0x320:
        return random_vector() | random_below(4) << 17 | (random_below(4) ? 0 : 0x10000) | noise;
    case 0x380:
        return random_below(40) | noise;
    case 0x3e0:
        return (random_below(2) ? 0xb : random_below(16)) | noise;
    case 0x3f0:
        return random_vector() | noise;
    case 0xb0:
    case 0x280:
        return noise;
    }
    return random_below(0x8000) << 16 | random_below(0x10000);
}

static bool x2apic(void)
{
    return model.base & 0x400;
}

/* Registers after whose writes the timer's next interrupt may be due at another time. */
static bool is_timers(unsigned offset)
{
    return offset == 0x320 || offset == 0x380 || offset == 0x3e0 || offset == 0xf0;
}

static void check_effect(const struct vlapic_effect *effect, struct model_effect expected,
                         bool timer)
{
    assert_int_equal(!!(effect->what & VLAPIC_EFFECT_EOI), expected.eoi >= 0);
    if (expected.eoi >= 0)
        assert_int_equal(effect->eoi_vector, expected.eoi);
    assert_int_equal(!!(effect->what & VLAPIC_EFFECT_IPI), expected.ipi);
    assert_int_equal(!!(effect->what & VLAPIC_EFFECT_TIMER), timer);
}

static void write_msr(unsigned offset, uint64_t value)
{
    struct vlapic_effect effect;
    bool legal = model_writable(&model, offset) && !(value & model_reserved(offset));
    enum vlapic_result result =
        vlapic_write_msr(&apic, 0x800 + offset / 16, value, model.now, &effect);
    assert_int_equal(result, legal ? VLAPIC_OK : VLAPIC_GP);
    if (legal)
        check_effect(&effect, model_write(&model, offset, (uint32_t)value, (uint32_t)(value >> 32)),
                     is_timers(offset));
}

static void write_mmio(unsigned offset, uint32_t value)
{
    struct vlapic_effect effect;
    struct model_effect expected = {.eoi = -1};
    bool timer = model_writable(&model, offset) && is_timers(offset);
    vlapic_write_mmio(&apic, offset, value, model.now, &effect);
    if (!model_exists(&model, offset))
        model_error(&model, 0x80);
    else if (model_writable(&model, offset))
        expected = model_write(&model, offset, value, 0);
    check_effect(&effect, expected, timer);
}

static void write_register(void)
{
    unsigned offset = random_offset();
    uint32_t value = random_value(offset);
    if (x2apic())
        write_msr(offset, value | (uint64_t)random_below(random_below(10) == 0 ? 9 : 1) << 32);
    else
        write_mmio(offset, value);
}

static void let_time_pass(void)
{
    for (uint32_t ticks = random_below(100); ticks > 0; ticks--)
        model_tick(&model);
    vlapic_expire(&apic, model.now);
}

static void write_deadline(void)
{
    uint64_t tsc = random_below(4) ? model.now + random_below(60) - 5 : 0;
    vlapic_write_tsc_deadline(&apic, tsc, model.now);
    model_write_deadline(&model, tsc);
    vlapic_expire(&apic, model.now);
}

/* The model takes the same state after a legal transition: that of x2APIC mode keeps
 * all but two. */
static void change_mode(void)
{
    static const uint64_t bits[] = {0x0, 0x800, 0x800, 0xc00};
    uint64_t value = 0xfee00000 | bits[random_below(4)];
    uint64_t old = model.base;
    if (vlapic_write_base(&apic, value) == VLAPIC_GP || value == old)
        return;
    if (value & 0x400) {
        model.base = value;
        model.icr_high = 0;
        model.ldr = (model.id / 16) << 16 | 1 << model.id % 16;
    } else {
        model_reset(&model, model.id, value);
    }
}

static void operate(void)
{
    switch (random_below(16)) {
    case 0:
    case 1:
    case 2: {
        unsigned vector = random_vector();
        bool level = random_below(2);
        assert_int_equal(vlapic_deliver(&apic, (uint8_t)vector, level),
                         model_deliver(&model, vector, level));
        break;
    }
    case 3:
    case 4:
    case 5:
        if (model_pending(&model) >= 0) {
            vlapic_accept(&apic, (uint8_t)vlapic_highest_pending(&apic));
            model_accept(&model);
        }
        break;
    case 6:
        assert_int_equal(vlapic_eoi(&apic), model_eoi(&model));
        break;
    case 7:
        model.tpr = random_below(3) ? 0 : random_below(16) * 16;
        vlapic_write_cr8(&apic, model.tpr / 16);
        break;
    case 8:
    case 9:
        let_time_pass();
        break;
    case 10:
        write_deadline();
        break;
    case 11:
        if (random_below(200) == 0)
            change_mode();
        else if (random_below(200) == 0) {
            vlapic_init(&apic);
            model_reset(&model, model.id, model.base);
        }
        break;
    default:
        if (model.base & 0x800)
            write_register();
    }
}

static void compare(void)
{
    assert_int_equal(vlapic_highest_pending(&apic), model_pending(&model));
    if (!(model.base & 0x800))
        return;
    assert_int_equal(vlapic_read_tsc_deadline(&apic, model.now), model.tsc_deadline);
    for (unsigned offset = 0; offset < 0x400; offset += 16) {
        if (x2apic()) {
            uint64_t value = 0;
            enum vlapic_result result =
                vlapic_read_msr(&apic, 0x800 + offset / 16, model.now, &value);
            uint64_t high = offset == 0x300 ? (uint64_t)model.icr_high << 32 : 0;
            assert_int_equal(result, model_readable(&model, offset) ? VLAPIC_OK : VLAPIC_GP);
            if (result == VLAPIC_OK)
                assert_true(value == (high | model_read(&model, offset)));
        } else if (model_exists(&model, offset)) {
            assert_int_equal(vlapic_read_mmio(&apic, offset, model.now),
                             model_read(&model, offset));
        }
    }
}

static void same_as_model(void **state)
{
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        uint32_t id = random_below(40);
        model.now = random_below(1000);
        vlapic_reset(&apic, page, id, false);
        model_reset(&model, id, apic.base);
        if (run & 1) {
            vlapic_write_base(&apic, apic.base | APIC_BASE_X2APIC);
            model_reset(&model, id, apic.base);
        }
        for (unsigned i = 0; i < OPERATIONS; i++) {
            operate();
            compare();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
