/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a VM's CPUID table (R24, R21, R46).
 *
 * The APIC timer's clock: the SDM lets the timer count the core crystal clock where leaf 15h tells
 * its frequency. Leaf 15h therefore says "the crystal is the TSC" (ratio 1/1), and the virtual
 * timer counts the TSC: a guest gets both frequencies exactly, without calibration and without a
 * division at run time. Where Lintel does not know the frequency well enough, no leaf tells it, and
 * a guest calibrates.
 */
#include "monitor/cpuid_table.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "lib/x86.h"

enum cpuid_needs {
    NEEDS_NOTHING = 0,
    NEEDS_RDTSCP = 1,
    NEEDS_INVPCID = 2,
    NEEDS_XSAVE = 4,
    NEEDS_AVX = 8,
    NEEDS_AVX512 = 16,
    NEEDS_SPEC_CTRL = 32,
    NEEDS_PKRU = 64,
    NEEDS_PKS = 128,
    NEEDS_CET = 256,
};

#define XCR0_POLICY (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)

#define FEATURES_EDX_HTT   BIT(28)
#define SPEC_CTRL          BIT(26) /* leaf 7, EDX */
#define SPEC_CTRL_CONTROLS 0x3f    /* subleaf 2, EDX */
#define CLOCKSOURCE2       BIT(3)
#define CLOCKSOURCE_STABLE BIT(24)

enum cpuid_action { ACTION_KEEP, ACTION_SET };

struct cpuid_row {
    uint32_t leaf;
    uint8_t reg;    /* enum cpuid_register */
    uint8_t action; /* enum cpuid_action */
    uint16_t needs; /* enum cpuid_needs */
    uint32_t bits;
};

static const struct cpuid_row rows[] = {
#define KEEP(leaf, reg, bits, needs, why) {leaf, CPUID_##reg, ACTION_KEEP, NEEDS_##needs, bits},
#define SET(leaf, reg, bits, why)         {leaf, CPUID_##reg, ACTION_SET, NEEDS_NOTHING, bits},
#define HIDE(leaf, reg, bits, why)
#define COMPUTE(leaf, function, why)
#include "monitor/cpuid.def"
};

/* What a table is made from. */
struct build {
    struct cpuid_table *table;
    const struct cpuid_config *config;
    cpuid_host *host;
    uint32_t host_max[2]; /* basic, extended */
    uint64_t xcr0;        /* what XSETBV may set */
    uint64_t xss;         /* and WRMSR of IA32_XSS */
};

static void read_host(const struct build *b, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    bool extended = leaf >= CPUID_EXTENDED;
    memset(out, 0, 4 * sizeof(out[0]));
    if (leaf <= b->host_max[extended])
        b->host(leaf, subleaf, out);
}

static struct cpuid_answer *find(const struct build *b, uint32_t leaf)
{
    return (struct cpuid_answer *)cpuid_find(b->table, leaf);
}

static uint32_t *answer(const struct build *b, uint32_t leaf)
{
    return find(b, leaf)->reg;
}

/* log2 of the number of APIC ids that the vCPUs need. */
static unsigned id_bits(const struct build *b)
{
    unsigned bits = 0;
    while (1u << bits < b->config->vcpus)
        bits++;
    return bits;
}

/* The XSAVE components that are switched and that the host describes, whole groups only. */
static uint64_t allowed_xcr0(const struct build *b)
{
    uint32_t features[4], xstate[4];
    read_host(b, 0x1, 0, features);
    read_host(b, 0xd, 0, xstate);
    if (!(features[CPUID_ECX] & CPUID_1_ECX_XSAVE))
        return 0;
    uint64_t host = xstate[CPUID_EAX] | (uint64_t)xstate[CPUID_EDX] << 32;
    uint64_t xcr0 = host & b->config->xcr0 & XCR0_POLICY;
    if ((xcr0 & (XCR0_X87 | XCR0_SSE)) != (XCR0_X87 | XCR0_SSE))
        return 0;
    if (!(xcr0 & XCR0_AVX) || (xcr0 & XCR0_AVX512) != XCR0_AVX512)
        xcr0 &= ~XCR0_AVX512;
    return xcr0;
}

static bool has_spec_ctrl(const struct build *b)
{
    uint32_t host[4];
    read_host(b, 0x7, 0, host);
    return host[CPUID_EDX] & SPEC_CTRL;
}

static uint32_t met_needs(const struct build *b)
{
    uint64_t xcr0 = b->xcr0;
    return (b->config->rdtscp ? NEEDS_RDTSCP : 0) | (b->config->invpcid ? NEEDS_INVPCID : 0) |
           (xcr0 ? NEEDS_XSAVE : 0) | (xcr0 & XCR0_AVX ? NEEDS_AVX : 0) |
           (xcr0 & XCR0_AVX512 ? NEEDS_AVX512 : 0) | (has_spec_ctrl(b) ? NEEDS_SPEC_CTRL : 0) |
           (xcr0 & XCR0_PKRU ? NEEDS_PKRU : 0) | (b->config->pks ? NEEDS_PKS : 0) |
           (b->xss ? NEEDS_CET : 0);
}

static void apply_rows(const struct build *b)
{
    uint32_t met = met_needs(b);
    for (const struct cpuid_row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
        uint32_t host[4];
        read_host(b, row->leaf, 0, host);
        uint32_t source = row->action == ACTION_SET ? UINT32_MAX : host[row->reg];
        if ((row->needs & ~met) == 0)
            answer(b, row->leaf)[row->reg] |= source & row->bits;
    }
}

static void logical_processors(const struct build *b)
{
    answer(b, 0x1)[CPUID_EBX] |= 1u << id_bits(b) << 16;
    if (b->config->vcpus > 1)
        answer(b, 0x1)[CPUID_EDX] |= FEATURES_EDX_HTT;
    find(b, 0x1)->rule = CPUID_RULE_FEATURES;
}

static void more_features(const struct build *b)
{
    uint32_t host[4];
    find(b, 0x7)->rule = CPUID_RULE_MORE_FEATURES;
    read_host(b, 0x7, 0, host);
    if (host[CPUID_EAX] < 2 || !has_spec_ctrl(b))
        return;
    read_host(b, 0x7, 2, host);
    b->table->controls.reg[CPUID_EDX] = host[CPUID_EDX] & SPEC_CTRL_CONTROLS;
    answer(b, 0x7)[CPUID_EAX] = 2;
}

/* Level 3 is shared by all vCPUs, levels 1 and 2 are each core's own. */
static void caches(const struct build *b)
{
    uint32_t ids = (1u << id_bits(b)) - 1;
    find(b, 0x4)->rule = CPUID_RULE_CACHE;
    for (unsigned i = 0; i < ARRAY_SIZE(b->table->cache) - 1; i++) {
        uint32_t *reg = b->table->cache[i].reg;
        read_host(b, 0x4, i, reg);
        if ((reg[CPUID_EAX] & 0x1f) == 0) {
            memset(reg, 0, 4 * sizeof(reg[0]));
            return;
        }
        unsigned level = reg[CPUID_EAX] >> 5 & 7;
        reg[CPUID_EAX] = (reg[CPUID_EAX] & 0x3fff) | (level >= 3 ? ids << 14 : 0) | ids << 26;
    }
}

/* Level types of leaf 0bh are in ECX bits 15-8: 1 thread, 2 core. */
static void topology(const struct build *b)
{
    struct cpuid_answer *level = b->table->topology;
    level[0] = (struct cpuid_answer){.reg = {0, 1, 1 << 8, 0}};
    level[1] = (struct cpuid_answer){.reg = {id_bits(b), b->config->vcpus, 2 << 8 | 1, 0}};
    find(b, 0xb)->rule = CPUID_RULE_TOPOLOGY;
}

#define XSAVEOPT 0x1u
#define XSAVES   0xeu /* with XSAVEC and XGETBV of component 1 */
#define ALIGNED  0x2u

static void xstate(const struct build *b)
{
    struct cpuid_answer *xstate = b->table->xstate;
    uint64_t xcr0 = b->xcr0;
    find(b, 0xd)->rule = CPUID_RULE_XSTATE;
    if (xcr0 == 0)
        return;
    for (unsigned i = 2; i < CPUID_XSTATE_COUNT; i++) {
        uint32_t host[4];
        bool supervisor = b->xss >> i & 1;
        if (!(xcr0 & BIT(i)) && !supervisor)
            continue;
        read_host(b, 0xd, i, host);
        xstate[i].reg[CPUID_EAX] = host[CPUID_EAX];
        xstate[i].reg[CPUID_EBX] = supervisor ? 0 : host[CPUID_EBX];
        if (b->xss != 0)
            xstate[i].reg[CPUID_ECX] = supervisor | (host[CPUID_ECX] & ALIGNED);
    }
    uint32_t host[4];
    read_host(b, 0xd, 1, host);
    xstate[1].reg[CPUID_EAX] = host[CPUID_EAX] & (XSAVEOPT | (b->xss != 0 ? XSAVES : 0));
    xstate[1].reg[CPUID_ECX] = (uint32_t)b->xss;
    xstate[0].reg[CPUID_EAX] = (uint32_t)xcr0;
    xstate[0].reg[CPUID_ECX] = cpuid_xsave_size(b->table, xcr0);
    xstate[0].reg[CPUID_EDX] = (uint32_t)(xcr0 >> 32);
}

/* A TSC of more Hz than 32 bits hold is not enumerated; such a guest has leaf 40000010h and
 * kvmclock. */
static void tsc_ratio(const struct build *b)
{
    uint64_t hz = b->config->tsc_khz * 1000ULL;
    uint32_t *reg = answer(b, 0x15);
    if (hz > UINT32_MAX || !b->config->tsc_exact)
        return;
    reg[CPUID_EAX] = 1;
    reg[CPUID_EBX] = 1;
    reg[CPUID_ECX] = (uint32_t)hz;
}

static void frequencies(const struct build *b)
{
    uint32_t mhz = (b->config->tsc_khz + 500) / 1000;
    uint32_t *reg = answer(b, 0x16);
    reg[CPUID_EAX] = mhz; /* base */
    reg[CPUID_EBX] = mhz; /* maximum */
    reg[CPUID_ECX] = mhz; /* bus */
}

/* Linux takes its TSC's frequency from kvmclock, and calibrates no more. */
static void clock_source(const struct build *b)
{
    if (b->config->tsc_exact)
        answer(b, 0x40000001)[CPUID_EAX] |= CLOCKSOURCE2 | CLOCKSOURCE_STABLE;
}

static void timing(const struct build *b)
{
    uint32_t *reg = answer(b, CPUID_HYPERVISOR_MAX);
    if (!b->config->tsc_exact)
        return;
    reg[CPUID_EAX] = b->config->tsc_khz;
    reg[CPUID_EBX] = b->config->tsc_khz; /* the APIC timer's clock */
}

void cpuid_build(struct cpuid_table *table, cpuid_host *host, const struct cpuid_config *config)
{
    struct build b = {.table = table, .config = config, .host = host};
    uint32_t out[4];
    host(0x0, 0, out);
    b.host_max[0] = out[CPUID_EAX];
    host(CPUID_EXTENDED, 0, out);
    b.host_max[1] = out[CPUID_EAX];

    memset(table, 0, sizeof(*table));
    b.xcr0 = allowed_xcr0(&b);
    b.xss = b.xcr0 != 0 ? config->xss : 0;
    apply_rows(&b);
#define KEEP(leaf, reg, bits, needs, why)
#define SET(leaf, reg, bits, why)
#define HIDE(leaf, reg, bits, why)
#define COMPUTE(leaf, function, why) function(&b);
#include "monitor/cpuid.def"
}
