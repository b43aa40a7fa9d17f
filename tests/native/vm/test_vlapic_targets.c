/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets an interrupt message, against a model written from the SDM's sentences (volume 3,
 * "Issuing Interprocessor Interrupts", "Determining IPI Destination", "Local x2APIC", and "Message
 * Signalled Interrupts"): every ICR and every message, with destinations at the edges, for many
 * machines of local APICs in all modes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hypervisor/vm/vlapic.h"

#define COUNT    4
#define MACHINES 300

enum model { DISABLED, FLAT, CLUSTER, NO_MODEL, X2APIC, MODEL_COUNT };

/* A local APIC as the SDM describes it. */
struct apic {
    enum model model;
    uint32_t id, ldr; /* the logical id, without the register's empty bits */
    unsigned tpr;
    bool enabled; /* by software */
};

static struct apic machine[COUNT];
static uint32_t pages[COUNT][1024];
static struct vlapic apics[COUNT];
static const struct vlapic *all[COUNT];
static uint64_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % limit;
}

/* Makes an APIC, and has a vlapic be like it, by what a guest writes. */
static void build(unsigned i)
{
    static const uint8_t ldrs[] = {0x00, 0x01, 0x02, 0x03, 0x11, 0x12, 0x80, 0xf1, 0xff};
    struct apic *a = &machine[i];
    struct vlapic_effect effect;
    struct vlapic *l = &apics[i];

    *a = (struct apic){.model = (enum model)random_below(MODEL_COUNT),
                       .id = i * 0x15, /* 0, 15h, 2ah, 3fh: two clusters of x2APIC ids and more */
                       .ldr = ldrs[random_below(sizeof(ldrs))],
                       .tpr = random_below(3) * 0x10,
                       .enabled = random_below(4) != 0};
    all[i] = l;
    vlapic_reset(l, pages[i], a->id, i == 0);
    vlapic_write_mmio(l, 0xf0, a->enabled ? 0x1ff : 0xff, 0, &effect);
    vlapic_write_mmio(l, 0x80, a->tpr, 0, &effect);
    vlapic_write_mmio(l, 0xd0, a->ldr << 24, 0, &effect);
    vlapic_write_mmio(l, 0xe0,
                      a->model == CLUSTER    ? 0
                      : a->model == NO_MODEL ? 0x50000000
                                             : ~0u,
                      0, &effect);
    if (a->model == X2APIC) {
        assert_int_equal(vlapic_write_base(l, l->base | APIC_BASE_X2APIC), VLAPIC_OK);
        a->ldr = a->id >> 4 << 16 | 1u << (a->id & 15); /* "Deriving Logical x2APIC ID" */
    }
    if (a->model == DISABLED)
        assert_int_equal(vlapic_write_base(l, l->base & ~(uint64_t)APIC_BASE_ENABLE), VLAPIC_OK);
}

/* Whether a message destination address names this APIC; wide: it has 32 bits. */
static bool is_named(const struct apic *a, uint32_t mda, bool logical, bool wide)
{
    if (a->model == DISABLED)
        return false;
    if (mda == (wide ? 0xffffffff : 0xff)) /* all bits set: every local APIC */
        return true;
    if (!logical)
        return mda == a->id;
    for (unsigned bit = 0; bit < 16; bit++) {
        bool set = (mda & a->ldr) >> bit & 1;
        if (a->model == FLAT && set && bit < 8 && mda <= 0xff)
            return true;
        if (a->model == CLUSTER && set && bit < 4 && mda <= 0xff && (mda & 0xf0) == (a->ldr & 0xf0))
            return true;
        if (a->model == X2APIC && set && (mda & 0xffff0000) == (a->ldr & 0xffff0000))
            return true;
    }
    return false;
}

/* Of these the one that has the lowest priority; nobody who cannot accept anything. */
static uint64_t lowest(uint64_t among)
{
    int best = -1;

    for (int i = 0; i < COUNT; i++)
        if (among >> i & 1 && machine[i].enabled &&
            (best < 0 || machine[i].tpr < machine[best].tpr))
            best = i;
    return best < 0 ? 0 : 1ULL << best;
}

static uint64_t named(uint32_t mda, bool logical, bool wide)
{
    uint64_t set = 0;

    for (unsigned i = 0; i < COUNT; i++)
        set |= (uint64_t)is_named(&machine[i], mda, logical, wide) << i;
    return set;
}

/* What the SDM says of an ICR with a good vector: who gets it. */
static uint64_t sent(unsigned source, uint32_t low, uint32_t destination)
{
    enum { FIXED, LOWEST, SMI, NMI = 4, INIT, START_UP };
    unsigned delivery = low >> 8 & 7, shorthand = low >> 18 & 3;
    bool wide = machine[source].model == X2APIC, addressed = shorthand == 0 || shorthand == 3;
    uint64_t set = 0;

    if (delivery == 3 || delivery == 7 || (delivery == LOWEST && wide)) /* "Reserved" */
        return 0;
    if (delivery != FIXED && !addressed) /* "Invalid" with self, and with all including self */
        return 0;
    if (delivery == INIT && (low & 0xc000) == 0x8000) /* INIT level de-assert: not supported */
        return 0;
    for (unsigned i = 0; i < COUNT; i++)
        if (machine[i].model != DISABLED && (shorthand != 3 || i != source))
            set |= 1ULL << i;
    if (shorthand == 0)
        set = named(destination, low & 0x800, wide);
    if (shorthand == 1)
        set = 1ULL << source;
    return delivery == LOWEST ? lowest(set) : set;
}

/* The same from a write to the ICR. */
static uint64_t answered(unsigned source, uint32_t low, uint32_t destination)
{
    struct vlapic_effect effect = {0};
    struct vlapic l = apics[source];
    uint32_t irr = pages[source][0x220 / 4];
    uint64_t self = 0;

    pages[source][0x220 / 4] = 0;
    if (machine[source].model == X2APIC) {
        vlapic_write_msr(&l, 0x830, (uint64_t)destination << 32 | low, 0, &effect);
    } else {
        vlapic_write_mmio(&l, 0x310, destination << 24, 0, &effect);
        vlapic_write_mmio(&l, 0x300, low, 0, &effect);
    }
    /* A fixed one to itself alone is delivered already, where it can be. */
    self = pages[source][0x220 / 4] ? 1ULL << source : 0;
    pages[source][0x220 / 4] = irr;
    return effect.what & VLAPIC_EFFECT_IPI ? vlapic_targets(all, COUNT, (int)source, &effect.ipi)
                                           : self;
}

static const uint32_t destinations[] = {0x00,  0x01,    0x02,    0x03,    0x11,      0x12, 0x15,
                                        0x2a,  0x3f,    0x80,    0xf0,    0xf1,      0xf3, 0xff,
                                        0x100, 0x10020, 0x20400, 0x38000, 0xffffffff};
#define DESTINATIONS (sizeof(destinations) / sizeof(destinations[0]))

static void check_ipi(unsigned source, uint32_t low, uint32_t destination)
{
    bool wide = machine[source].model == X2APIC;
    uint64_t expect = sent(source, low, wide ? destination : destination & 0xff);

    /* to itself alone it comes only where it is accepted */
    if ((low >> 18 & 3) == 1 && !machine[source].enabled)
        expect = 0;
    if (answered(source, low, destination) != expect)
        fail_msg("ICR %x to %x from %u (%d): %lx, not %lx", low, destination, source,
                 machine[source].model, answered(source, low, destination), expect);
}

static void ipis(void **state)
{
    for (unsigned m = 0; m < MACHINES; m++) {
        for (unsigned i = 0; i < COUNT; i++)
            build(i);
        for (uint32_t bits = 0; bits < 8 * 2 * 4 * 4; bits++) {
            uint32_t low = 0x41 | (bits & 15) << 8 | (bits >> 4 & 3) << 14 | (bits >> 6) << 18;
            for (unsigned source = 0; source < COUNT; source++)
                for (unsigned d = 0; machine[source].model != DISABLED && d < DESTINATIONS; d++)
                    check_ipi(source, low, destinations[d]);
        }
    }
}

/* A device's message: "Message Address Register Format", "Message Data Register Format". */
static uint64_t signalled(uint32_t destination, bool hint, bool logical, uint32_t data)
{
    unsigned delivery = data >> 8 & 7;

    if (delivery == 3 || delivery == 6) /* "Reserved" */
        return 0;
    if (delivery == 5 && (data & 0xc000) == 0x8000)
        return 0;
    uint64_t set = named(destination, logical, false);
    return hint || delivery == 1 ? lowest(set) : set;
}

static void messages(void **state)
{
    for (unsigned m = 0; m < MACHINES; m++) {
        for (unsigned i = 0; i < COUNT; i++)
            build(i);
        for (uint32_t bits = 0; bits < 8 * 4 * 2 * 2; bits++)
            for (uint32_t destination = 0; destination < 0x100; destination++) {
                uint32_t data = 0x41 | (bits & 7) << 8 | (bits >> 3 & 3) << 14;
                bool hint = bits >> 5 & 1, logical = bits >> 6 & 1;
                uint64_t address = 0xfee00000 | destination << 12 | hint << 3 | logical << 2;
                struct apic_message message;
                uint64_t got = vlapic_message(address, data, &message)
                                   ? vlapic_targets(all, COUNT, VLAPIC_NONE, &message)
                                   : 0;
                if (got != signalled(destination, hint, logical, data))
                    fail_msg("message %lx %x: %lx, not %lx", address, data, got,
                             signalled(destination, hint, logical, data));
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipis),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
