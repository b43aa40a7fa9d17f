/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer where times wrap (R41): against a model whose time has 128 bits and never
 * wraps. The guest's TSC is that time and an offset, cut to 64 bits; random operations move it to
 * and fro around 0, 2^63 and 2^64 while timers are armed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/vm/vlapic.h"

#define RUNS       2000
#define OPERATIONS 300

#define VECTOR   0x41
#define MASKED   0x10000u
#define PERIODIC 0x20000u
#define DEADLINE 0x40000u

typedef unsigned __int128 time;

static uint32_t page[1024];
static struct vlapic apic;
static uint64_t seed;

/* The model. A count counts from `count` at time `since`; each `divisor` is one of its ticks. */
static struct {
    time now, since;
    uint64_t offset; /* guest TSC - time */
    uint32_t lvt, initial, count;
    unsigned divisor;
    bool counting;
    bool armed;    /* TSC-deadline mode: */
    time deadline; /* the time at which the TSC reaches */
    uint64_t tsc_deadline;
} model;

static uint64_t random_64(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return seed >> 32 | seed << 32;
}

static uint64_t random_below(uint64_t limit)
{
    return random_64() % limit;
}

/* Small mostly, of any size at times. */
static uint64_t random_ticks(void)
{
    return random_64() >> (random_below(4) == 0 ? 20 + random_below(40) : 52);
}

static uint64_t model_tsc(void)
{
    return (uint64_t)model.now + model.offset;
}

static uint64_t random_tsc(void)
{
    static const uint64_t edges[] = {0, 1ULL << 63, UINT64_MAX, 1ULL << 41};
    uint64_t near = random_below(2) ? model_tsc() : edges[random_below(4)];

    return random_below(2) ? near + random_ticks() : near - random_ticks();
}

static bool is_deadline(void)
{
    return model.lvt & DEADLINE;
}

static bool is_periodic(void)
{
    return !is_deadline() && model.lvt & PERIODIC;
}

/* Ticks of the divided count since it was loaded or last changed its pace. */
static time model_counted(void)
{
    return (model.now - model.since) / model.divisor;
}

static uint32_t model_count(void)
{
    time counted = model_counted();

    if (!model.counting || model.initial == 0 || is_deadline())
        return 0;
    if (counted < model.count)
        return model.count - (uint32_t)counted;
    if (!is_periodic())
        return 0;
    return model.initial - (uint32_t)((counted - model.count) % model.initial);
}

/* When the next interrupt comes, if there is one. */
static bool model_next(time *next)
{
    time counted = model_counted(), left;

    if (is_deadline()) {
        *next = model.deadline;
        return model.armed;
    }
    if (!model.counting || model.initial == 0 || model.lvt & MASKED)
        return false;
    if (counted < model.count)
        left = model.count;
    else if (is_periodic())
        left = model.count + ((counted - model.count) / model.initial + 1) * model.initial;
    else
        return false;
    *next = model.since + left * model.divisor;
    return true;
}

static void model_set_deadline(uint64_t tsc)
{
    model.armed = tsc != 0;
    model.tsc_deadline = tsc;
    model.deadline = model.now + (tsc > model_tsc() ? tsc - model_tsc() : 0);
}

static bool taken(void)
{
    bool pending = vlapic_highest_pending(&apic) == VECTOR;

    if (pending) {
        vlapic_accept(&apic, VECTOR);
        vlapic_eoi(&apic);
    }
    return pending;
}

/* Time goes on; an interrupt comes exactly where the model has one within, or at, its end. */
static void let_pass(uint64_t ticks)
{
    time next;
    bool due;

    due = model_next(&next) && next <= model.now + ticks;
    model.now += ticks;
    if (due && is_deadline())
        model.armed = false;
    vlapic_expire(&apic, model_tsc());
    assert_int_equal(taken(), due && !(model.lvt & MASKED));
}

static void write_register(unsigned offset, uint32_t value)
{
    struct vlapic_effect effect;

    vlapic_write_mmio(&apic, offset, value, model_tsc(), &effect);
    assert_int_equal(!!(effect.what & VLAPIC_EFFECT_TIMER), 1);
}

static void change_lvt(void)
{
    static const uint32_t modes[] = {0, PERIODIC, DEADLINE};
    uint32_t lvt = modes[random_below(3)] | (random_below(4) ? 0 : MASKED),
             changed = model.lvt ^ lvt;

    if (changed & (PERIODIC | DEADLINE)) {
        model.count = model_count();
        model.counting = model.count != 0;
        /* the part of a tick that has passed stays */
        model.since = model.now - (model.now - model.since) % model.divisor;
    }
    model.lvt = lvt;
    if (changed & DEADLINE) {
        model.initial = 0;
        model.armed = false;
    }
    write_register(0x320, lvt | VECTOR);
}

static void load_count(void)
{
    uint32_t initial = (uint32_t)(random_64() >> (32 + random_below(32)));

    if (!is_deadline()) {
        model.initial = model.count = initial;
        model.since = model.now;
        model.counting = true;
    }
    write_register(0x380, initial);
}

static void change_pace(void)
{
    static const uint8_t divide[] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};
    unsigned shift = (unsigned)random_below(8);

    model.count = model_count();
    model.since = model.now;
    model.divisor = 1u << shift;
    write_register(0x3e0, divide[shift]);
}

static void write_deadline(void)
{
    uint64_t tsc = random_below(8) ? random_tsc() : 0;

    vlapic_write_tsc_deadline(&apic, tsc, model_tsc());
    if (is_deadline())
        model_set_deadline(tsc);
    let_pass(0);
}

static void move_tsc(void)
{
    uint64_t delta = random_tsc() - model_tsc();

    vlapic_tsc_moved(&apic, model_tsc(), delta);
    model.offset += delta;
    if (model.armed)
        model_set_deadline(model.tsc_deadline);
    let_pass(0);
}

static void compare(void)
{
    uint64_t left = vlapic_timer_left(&apic, model_tsc());
    time next;

    assert_int_equal(vlapic_read_mmio(&apic, 0x390, model_tsc()), model_count());
    assert_true(vlapic_read_tsc_deadline(&apic, model_tsc()) ==
                (is_deadline() && model.armed ? model.tsc_deadline : 0));
    if (model_next(&next))
        assert_true(left == next - model.now);
    else
        assert_true(left == VLAPIC_NEVER);
}

static void operate(void)
{
    switch (random_below(8)) {
    case 0:
        change_lvt();
        break;
    case 1:
        load_count();
        break;
    case 2:
        change_pace();
        break;
    case 3:
        write_deadline();
        break;
    case 4:
        move_tsc();
        break;
    default:
        let_pass(random_ticks());
    }
}

static void start(uint64_t least_period)
{
    struct vlapic_effect effect;

    vlapic_reset(&apic, page, 0, true);
    apic.least_period = least_period;
    model.offset = random_tsc();
    model.now = random_below(1000) + ((time)1 << 64);
    model.since = model.now;
    model.lvt = MASKED;
    model.initial = model.count = 0;
    model.divisor = 2;
    model.counting = model.armed = false;
    vlapic_write_mmio(&apic, 0xf0, 0x1ff, model_tsc(), &effect);
    write_register(0x320, MASKED | VECTOR);
}

static void same_as_model(void **state)
{
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        start(0);
        for (unsigned i = 0; i < OPERATIONS; i++) {
            operate();
            compare();
        }
    }
}

/* Interrupts of a short period merge, and stay on the count's own beat; longer ones are untouched.
 */
static void least_period(void **state)
{
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        start(2000);
        uint32_t initial = (uint32_t)random_below(4000) + 1;
        write_register(0x3e0, 0xb);
        write_register(0x320, PERIODIC | VECTOR);
        write_register(0x380, initial);
        time begin = model.now, last = begin;
        for (unsigned i = 0; i < 50; i++) {
            model.now += vlapic_timer_left(&apic, model_tsc());
            assert_true((model.now - begin) % initial == 0);
            assert_true(model.now - last >= (initial < 2000 ? 2000 : initial));
            assert_true(model.now - last <= (initial < 2000 ? 2000 + initial : initial));
            last = model.now;
            vlapic_expire(&apic, model_tsc());
            assert_true(taken());
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_model),
        cmocka_unit_test(least_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
