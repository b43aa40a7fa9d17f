/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID tells a guest: policy, and leaves that must agree with each other (R21, R24, R46). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/msr/msr.h"
#include "hypervisor/vm/cpuid.h"
#include "lib/bits.h"
#include "monitor/cpuid_table.h"

static struct cpuid_table table;
static struct cpuid_config config;
static struct cpuid_dynamic dynamic;
static uint32_t out[4];
static uint32_t host_basic_max;
static uint64_t host_xcr0;
static uint32_t host_leaf_7_max;
static bool host_spec_ctrl;

/* A host that has every feature, and garbage above its highest leaf. */
static void host(uint32_t leaf, uint32_t subleaf, uint32_t reg[4])
{
    static const uint32_t caches[][4] = {{0xfc004121, 0x01c0003f, 0x3f, 0},
                                         {0xfc004122, 0x01c0003f, 0x3f, 0},
                                         {0xfc004143, 0x03c0003f, 0x3ff, 0},
                                         {0xfc03c163, 0x0280003f, 0xffff, 4}};
    static const uint32_t components[13][2] = {
        [2] = {256, 576},   [3] = {64, 960}, [4] = {64, 1024}, [5] = {64, 1088}, [6] = {512, 1152},
        [7] = {1024, 1664}, [8] = {128, 0},  [9] = {8, 2688},  [11] = {16, 0},   [12] = {24, 0}};
    memset(reg, 0xff, 16);
    if (leaf == 0)
        memcpy(reg, (const uint32_t[]){host_basic_max, 0x756e6547, 0x6c65746e, 0x49656e69}, 16);
    else if (leaf == 0x80000000)
        memcpy(reg, (const uint32_t[]){0x80000008, 0, 0, 0}, 16);
    else if (leaf == 4)
        memcpy(reg, subleaf < 4 ? caches[subleaf] : (const uint32_t[4]){0}, 16);
    else if (leaf == 7 && subleaf == 0)
        memcpy(reg, (const uint32_t[]){host_leaf_7_max, ~0u, ~0u, ~(host_spec_ctrl ? 0 : 1u << 26)},
               16);
    else if (leaf == 0xd && subleaf == 0)
        memcpy(reg, (const uint32_t[]){(uint32_t)host_xcr0, 1, 2, 0}, 16); /* sizes are wrong */
    else if (leaf == 0xd && subleaf >= 2 && subleaf < 13)
        memcpy(reg, (const uint32_t[]){components[subleaf][0], components[subleaf][1], 7, 0}, 16);
    else if (leaf == 0x80000008)
        reg[CPUID_EAX] = 0x3934; /* 57 linear, 52 physical */
}

static void build(void)
{
    cpuid_build(&table, host, &config);
}

static const uint32_t *cpuid(uint32_t leaf, uint32_t subleaf)
{
    cpuid_apply_rule(&table, cpuid_find(&table, leaf), subleaf, &dynamic, out);
    return out;
}

static bool has(uint32_t leaf, enum cpuid_register reg, unsigned bit)
{
    return cpuid(leaf, 0)[reg] >> bit & 1;
}

static int setup(void **state)
{
    host_basic_max = 0x1b;
    host_xcr0 = 0x2ff;
    host_leaf_7_max = 2;
    host_spec_ctrl = true;
    config = (struct cpuid_config){.tsc_khz = 10000,
                                   .tsc_exact = true,
                                   .vcpus = 1,
                                   .xcr0 = 0x2e7,
                                   .xss = 0x1800,
                                   .rdtscp = true,
                                   .invpcid = true,
                                   .pks = true};
    dynamic = (struct cpuid_dynamic){.xcr0 = 1, .apic_enabled = true};
    build();
    return 0;
}

struct bits {
    uint32_t leaf, reg, keep, hide;
};

/* Each bit has one policy, and what the table hides is hidden on a host that has everything. */
static void rows_agree(void **state)
{
    static const struct bits rows[] = {
#define KEEP(leaf, reg, bits, needs, why) {leaf, CPUID_##reg, bits, 0},
#define SET(leaf, reg, bits, why)         {leaf, CPUID_##reg, bits, 0},
#define HIDE(leaf, reg, bits, why)        {leaf, CPUID_##reg, 0, bits},
#define COMPUTE(leaf, function, why)
#include "monitor/cpuid.def"
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned j = 0; j < i; j++)
            if (rows[i].leaf == rows[j].leaf && rows[i].reg == rows[j].reg)
                assert_int_equal((rows[i].keep | rows[i].hide) & (rows[j].keep | rows[j].hide), 0);
        assert_int_equal(cpuid(rows[i].leaf, 0)[rows[i].reg] & rows[i].hide, 0);
    }
}

/* Every bit of the feature registers has been decided, but for those that the SDM reserves. */
static void every_bit_is_decided(void **state)
{
    static const struct {
        uint32_t leaf, reg, reserved;
    } words[] = {
        {0x1, CPUID_ECX, BIT(16)},
        {0x1, CPUID_EDX, BIT(10) | BIT(20) | BIT(30)},
        {0x7, CPUID_EBX, BIT(22)},
        {0x7, CPUID_ECX, BIT(15) | BIT(26)},
        {0x7, CPUID_EDX, BIT(0) | BIT(1) | BIT(5) | BIT(6) | BIT(7) | BIT(12) | BIT(17) | BIT(21)},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        uint32_t decided = 0;
#define DECIDE(leaf_, reg_, bits_)                                                                 \
    if (leaf_ == words[i].leaf && CPUID_##reg_ == words[i].reg)                                    \
        decided |= bits_;
#define KEEP(leaf, reg, bits, needs, why) DECIDE(leaf, reg, bits)
#define SET(leaf, reg, bits, why)         DECIDE(leaf, reg, bits)
#define HIDE(leaf, reg, bits, why)        DECIDE(leaf, reg, bits)
#define COMPUTE(leaf, function, why)
#include "monitor/cpuid.def"
        assert_int_equal(decided, (uint32_t)~words[i].reserved);
    }
}

static void needs(void **state)
{
    assert_true(has(0x80000001, CPUID_EDX, 27) && has(7, CPUID_ECX, 22) && has(7, CPUID_EBX, 10));
    config.rdtscp = config.invpcid = false;
    build();
    assert_false(has(0x80000001, CPUID_EDX, 27) || has(7, CPUID_ECX, 22) || has(7, CPUID_EBX, 10));
    assert_true(has(7, CPUID_ECX, 31));
    assert_true(has(7, CPUID_ECX, 7) && has(7, CPUID_EDX, 20));
    config.pks = false;
    config.xss = 0;
    build();
    assert_false(has(7, CPUID_ECX, 31) || has(7, CPUID_ECX, 7) || has(7, CPUID_EDX, 20));
    assert_true(has(1, CPUID_ECX, 17)); /* PCID needs no control */
}

static void vector_features_follow_xcr0(void **state)
{
    assert_true(has(1, CPUID_ECX, 28) && has(7, CPUID_EBX, 5) && has(7, CPUID_EBX, 16));
    assert_true(has(7, CPUID_ECX, 3));
    config.xcr0 = 0xe7;
    build();
    assert_false(has(7, CPUID_ECX, 3)); /* PKU: XCR0 bit 9 is not switched */
    config.xcr0 = 0x7;
    build();
    assert_true(has(1, CPUID_ECX, 28) && !has(7, CPUID_EBX, 16));
    config.xcr0 = 0x67; /* AVX-512 in part */
    build();
    assert_int_equal(cpuid(0xd, 0)[CPUID_EAX], 0x7);
    config.xcr0 = 0x3;
    build();
    assert_true(has(1, CPUID_ECX, 26) && !has(1, CPUID_ECX, 28) && !has(7, CPUID_EBX, 5));
    config.xcr0 = 0;
    build();
    assert_false(has(1, CPUID_ECX, 26));
    assert_int_equal(cpuid(0xd, 0)[CPUID_EBX] | out[CPUID_ECX], 0);
}

/* R24 */
static void follows_the_vcpu(void **state)
{
    dynamic.apic_id = 3;
    assert_int_equal(cpuid(1, 0)[CPUID_EBX] >> 24, 3);
    assert_false(has(1, CPUID_ECX, 27) || has(7, CPUID_ECX, 4));
    assert_true(has(1, CPUID_EDX, 9));
    dynamic.cr4 = BIT(18);
    dynamic.apic_enabled = false;
    assert_true(has(1, CPUID_ECX, 27) && !has(7, CPUID_ECX, 4));
    dynamic.cr4 = BIT(22);
    assert_true(!has(1, CPUID_ECX, 27) && has(7, CPUID_ECX, 4));
    assert_int_equal(cpuid(7, 1)[CPUID_ECX], 0);
    assert_false(has(1, CPUID_EDX, 9));
    assert_int_equal(cpuid(0xb, 0)[CPUID_EDX], 3);
}

static void xsave_sizes(void **state)
{
    config.xss = 0;
    build();
    assert_int_equal(cpuid(0xd, 0)[CPUID_EAX], 0x2e7);
    assert_int_equal(out[CPUID_EBX], 576);
    assert_int_equal(out[CPUID_ECX], 2696);
    assert_int_equal(out[CPUID_EDX], 0);
    dynamic.xcr0 = 0x7;
    assert_int_equal(cpuid(0xd, 0)[CPUID_EBX], 832);
    dynamic.xcr0 = 0xe7;
    assert_int_equal(cpuid(0xd, 0)[CPUID_EBX], 2688);
    dynamic.xcr0 = 0x201;
    assert_int_equal(cpuid(0xd, 0)[CPUID_EBX], 2696);
    assert_int_equal(cpuid(0xd, 1)[CPUID_EAX], 1); /* XSAVEOPT alone */
    assert_int_equal(out[CPUID_EBX] | out[CPUID_ECX] | out[CPUID_EDX], 0);
    for (unsigned i = 2; i < 70; i++) {
        cpuid(0xd, i);
        if (i < 64 && (0x2e7ULL >> i & 1))
            assert_true(out[CPUID_EAX] && out[CPUID_EAX] + out[CPUID_EBX] <= 2696);
        else
            assert_int_equal(out[CPUID_EAX] | out[CPUID_EBX], 0);
        assert_int_equal(out[CPUID_ECX] | out[CPUID_EDX], 0);
    }
}

/* Supervisor states have no place in the standard format, and the compacted one grows with both
 * registers; the host here aligns each component. */
static void xsaves_sizes(void **state)
{
    assert_int_equal(cpuid(0xd, 1)[CPUID_EAX], 0xf);
    assert_int_equal(out[CPUID_ECX], 0x1800);
    assert_int_equal(out[CPUID_EDX], 0);
    assert_int_equal(out[CPUID_EBX], 576);
    dynamic.xcr0 = 0x7;
    assert_int_equal(cpuid(0xd, 1)[CPUID_EBX], 576 + 256);
    dynamic.xcr0 = 0x207;
    assert_int_equal(cpuid(0xd, 1)[CPUID_EBX], 832 + 8);
    dynamic.xss = 0x800;
    assert_int_equal(cpuid(0xd, 1)[CPUID_EBX], 896 + 16);
    dynamic.xss = 0x1800;
    assert_int_equal(cpuid(0xd, 1)[CPUID_EBX], 960 + 24);
    assert_int_equal(cpuid(0xd, 0)[CPUID_EBX], 2696);
    assert_int_equal(cpuid(0xd, 11)[CPUID_EAX], 16);
    assert_int_equal(out[CPUID_EBX], 0);
    assert_int_equal(out[CPUID_ECX], 3);
    assert_int_equal(cpuid(0xd, 12)[CPUID_EAX], 24);
    assert_int_equal(cpuid(0xd, 9)[CPUID_ECX], 2);
    assert_int_equal(cpuid(0xd, 8)[CPUID_EAX] | cpuid(0xd, 15)[CPUID_EAX], 0);
    config.xcr0 = 0; /* a host without XSAVE has no XSAVES */
    build();
    assert_int_equal(cpuid(0xd, 1)[CPUID_EAX], 0);
    assert_false(has(7, CPUID_ECX, 7));
}

static void xcr0_values(void **state)
{
    static const uint64_t legal[] = {0x1, 0x3, 0x7, 0xe7};
    for (uint64_t value = 0; value < 0x400; value++) {
        bool expected = false;
        for (unsigned i = 0; i < ARRAY_SIZE(legal); i++)
            expected |= (value & ~0x200ULL) == legal[i];
        assert_int_equal(cpuid_xcr0_valid(0x2e7, value), expected);
        assert_int_equal(cpuid_xcr0_valid(0xe7, value), expected && !(value & 0x200));
    }
    assert_false(cpuid_xcr0_valid(0xe7, BIT(63) | 1));
}

/* R21: leaves 1, 4 and 0bh agree on how many APIC ids a package has. */
static void topology(void **state)
{
    static const unsigned bits[] = {0, 0, 1, 2, 2, 3, 3, 3, 3};
    for (config.vcpus = 1; config.vcpus <= 8; config.vcpus++) {
        unsigned ids = 1u << bits[config.vcpus];
        build();
        assert_int_equal(has(1, CPUID_EDX, 28), config.vcpus > 1);
        assert_int_equal(cpuid(1, 0)[CPUID_EBX] >> 16 & 0xff, ids);
        assert_int_equal((cpuid(4, 0)[CPUID_EAX] >> 26) + 1, ids);
        assert_int_equal(out[CPUID_EAX] >> 14 & 0xfff, 0);
        assert_int_equal((cpuid(4, 3)[CPUID_EAX] >> 14 & 0xfff) + 1, ids);
        assert_int_equal(out[CPUID_ECX], 0xffff);
        assert_int_equal(cpuid(4, 4)[CPUID_EAX] | cpuid(4, 99)[CPUID_EAX], 0);
        assert_int_equal(cpuid(0xb, 0)[CPUID_EAX], 0);
        assert_int_equal(out[CPUID_EBX], 1);
        assert_int_equal(out[CPUID_ECX], 0x100);
        assert_int_equal(cpuid(0xb, 1)[CPUID_EAX], bits[config.vcpus]);
        assert_int_equal(out[CPUID_EBX], config.vcpus);
        assert_int_equal(out[CPUID_ECX], 0x201);
        assert_int_equal(cpuid(0xb, 2)[CPUID_EBX], 0);
        assert_int_equal(out[CPUID_ECX], 2);
    }
}

/* crystal * EBX / EAX is the TSC, and the crystal is the APIC timer's clock. */
static void frequencies(void **state)
{
    static const uint32_t khz[] = {10000, 2112003, 4294967};
    for (unsigned i = 0; i < ARRAY_SIZE(khz); i++) {
        config.tsc_khz = khz[i];
        build();
        cpuid(0x15, 0);
        assert_true((uint64_t)out[CPUID_ECX] * out[CPUID_EBX] / out[CPUID_EAX] == khz[i] * 1000ULL);
        assert_int_equal(cpuid(0x16, 0)[CPUID_EAX], (khz[i] + 500) / 1000);
        assert_int_equal(cpuid(0x40000010, 0)[CPUID_EAX], khz[i]);
        assert_int_equal(out[CPUID_EBX], khz[i]);
    }
    config.tsc_khz = 4294968;
    build();
    assert_int_equal(cpuid(0x15, 0)[CPUID_EAX], 0);
    assert_true(has(0x80000007, CPUID_EDX, 8));
}

/* Leaf 7's subleaves: the bits of IA32_SPEC_CTRL as the host has them, and only where that has the
 * MSR and the subleaf. */
static void speculation_controls(void **state)
{
    assert_int_equal(cpuid(7, 0)[CPUID_EAX], 2);
    assert_int_equal(cpuid(7, 2)[CPUID_EDX], 0x3f);
    assert_int_equal(out[CPUID_EAX] | out[CPUID_EBX] | out[CPUID_ECX], 0);
    for (uint32_t subleaf = 1; subleaf < 9; subleaf += subleaf == 1 ? 2 : 1)
        assert_int_equal(cpuid(7, subleaf)[CPUID_EAX] | out[CPUID_EDX], 0);
    host_leaf_7_max = 1;
    build();
    assert_int_equal(cpuid(7, 0)[CPUID_EAX], 0);
    assert_int_equal(cpuid(7, 2)[CPUID_EDX], 0);
    assert_true(has(7, CPUID_EDX, 26));
    host_leaf_7_max = 2;
    host_spec_ctrl = false;
    build();
    assert_int_equal(cpuid(7, 0)[CPUID_EAX], 0);
    assert_int_equal(cpuid(7, 0)[CPUID_EDX] & (1u << 26 | 1u << 27 | 1u << 31), 0);
    assert_int_equal(cpuid(7, 2)[CPUID_EDX], 0);
}

/* The features of MSRs that the table offers. */
static uint32_t msr_features(void)
{
    uint32_t features = 0;
#define F(name, leaf, subleaf, reg, bit)                                                           \
    if (cpuid(leaf, subleaf)[reg] >> (bit) & 1)                                                    \
        features |= MSR_FEATURE_##name;
    MSR_FEATURES(F)
#undef F
    return features;
}

/* No leaf that ends a guest's own calibration tells a frequency that is not exact. */
static void no_frequencies(void **state)
{
    config.tsc_khz = 2112003;
    config.tsc_exact = false;
    build();
    assert_int_equal(cpuid(0x15, 0)[CPUID_EAX] | out[CPUID_EBX] | out[CPUID_ECX], 0);
    assert_int_equal(cpuid(0x40000010, 0)[CPUID_EAX] | out[CPUID_EBX], 0);
    assert_int_equal(cpuid(0x40000001, 0)[CPUID_EAX], 2);
    assert_int_equal(msr_features() & MSR_FEATURE_KVM_CLOCK, 0);
    assert_int_equal(cpuid(0x16, 0)[CPUID_EAX], 2112);
}

static void hypervisor_leaves(void **state)
{
    assert_int_equal(cpuid(0x40000000, 0)[CPUID_EAX], 0x40000010);
    assert_memory_equal(&out[CPUID_EBX], "KVMKVMKVM\0\0", 12);
    assert_int_equal(cpuid(0x40000001, 0)[CPUID_EAX], 0x0100000a);
    assert_int_equal(out[CPUID_EBX] | out[CPUID_ECX] | out[CPUID_EDX], 0);
    assert_true(has(1, CPUID_ECX, 31));
}

/* SDM volume 2, "CPUID": above the highest leaf, the data of the highest basic leaf. */
static void leaves_out_of_range(void **state)
{
    static const uint32_t beyond[] = {0x17,       0x1000,     0x3fffffff, 0x40000011, 0x40000100,
                                      0x7fffffff, 0x80000009, 0x8fffffff, 0xc0000000, 0xffffffff};
    uint32_t highest[4];
    assert_int_equal(cpuid(0, 0)[CPUID_EAX], 0x16);
    assert_int_equal(cpuid(0x80000000, 0)[CPUID_EAX], 0x80000008);
    memcpy(highest, cpuid(0x16, 0), sizeof(highest));
    for (unsigned i = 0; i < ARRAY_SIZE(beyond); i++)
        assert_memory_equal(cpuid(beyond[i], 0), highest, sizeof(highest));
    static const uint32_t empty[] = {0x3, 0x5, 0x8, 0x9, 0xa, 0xc, 0xe, 0xf, 0x10, 0x12, 0x14};
    for (unsigned i = 0; i < ARRAY_SIZE(empty); i++)
        assert_int_equal(cpuid(empty[i], 0)[0] | out[1] | out[2] | out[3], 0);
    assert_int_equal(cpuid(7, 1)[0] | out[1] | out[2] | out[3], 0);
}

/* A host whose highest leaf is 4 answers garbage above it, which does not get through. */
static void old_host(void **state)
{
    host_basic_max = 4;
    build();
    assert_int_equal(cpuid(7, 0)[CPUID_EBX], 2); /* TSC_ADJUST alone */
    assert_int_equal(out[CPUID_ECX] | out[CPUID_EDX], 0);
    assert_int_equal(cpuid(0xd, 0)[CPUID_EAX], 0);
    assert_int_equal(cpuid(6, 0)[CPUID_EAX], 4);
    assert_true(has(0x1, CPUID_ECX, 21));
}

static void address_widths(void **state)
{
    assert_int_equal(cpuid(0x80000008, 0)[CPUID_EAX], 0x3034);
}

/* What ring 0 lets a guest do is what the table offers. */
static void derived(void **state)
{
    static const struct {
        uint64_t cr4;
        uint32_t leaf;
        uint8_t reg, bit;
    } enabled_by[] = {
        {BIT(0) | BIT(1), 0x1, CPUID_EDX, 1}, /* VME, PVI */
        {BIT(2), 0x1, CPUID_EDX, 4},          /* TSD: TSC */
        {BIT(3), 0x1, CPUID_EDX, 2},          /* DE */
        {BIT(4), 0x1, CPUID_EDX, 3},          /* PSE */
        {BIT(5), 0x1, CPUID_EDX, 6},          /* PAE */
        {BIT(6), 0x1, CPUID_EDX, 7},          /* MCE */
        {BIT(7), 0x1, CPUID_EDX, 13},         /* PGE */
        {BIT(9), 0x1, CPUID_EDX, 24},         /* OSFXSR: FXSR */
        {BIT(10), 0x1, CPUID_EDX, 25},        /* OSXMMEXCPT: SSE */
        {BIT(11), 0x7, CPUID_ECX, 2},         /* UMIP */
        {BIT(12), 0x7, CPUID_ECX, 16},        /* LA57 */
        {BIT(13), 0x1, CPUID_ECX, 5},         /* VMXE */
        {BIT(14), 0x1, CPUID_ECX, 6},         /* SMXE */
        {BIT(16), 0x7, CPUID_EBX, 0},         /* FSGSBASE */
        {BIT(17), 0x1, CPUID_ECX, 17},        /* PCIDE: PCID */
        {BIT(18), 0x1, CPUID_ECX, 26},        /* OSXSAVE: XSAVE */
        {BIT(20), 0x7, CPUID_EBX, 7},         /* SMEP */
        {BIT(21), 0x7, CPUID_EBX, 20},        /* SMAP */
        {BIT(22), 0x7, CPUID_ECX, 3},         /* PKE: PKU */
        {BIT(23), 0x7, CPUID_ECX, 7},         /* CET */
        {BIT(24), 0x7, CPUID_ECX, 31},        /* PKS */
        {BIT(25), 0x7, CPUID_EDX, 5},         /* UINTR */
    };
    uint64_t cr4 = BIT(8); /* PCE: RDPMC is there on every CPU */

    for (unsigned i = 0; i < ARRAY_SIZE(enabled_by); i++)
        if (has(enabled_by[i].leaf, enabled_by[i].reg, enabled_by[i].bit))
            cr4 |= enabled_by[i].cr4;
    assert_int_equal(cr4, CPUID_CR4);
    const uint32_t may_lack = MSR_FEATURE_SPEC_CTRL | MSR_FEATURE_FLUSH_CMD |
                              MSR_FEATURE_ARCH_CAPABILITIES | MSR_FEATURE_PKS | MSR_FEATURE_CET |
                              MSR_FEATURE_XSAVES,
                   clock = MSR_FEATURE_KVM_CLOCK;
    assert_int_equal(msr_features(), CPUID_MSR_FEATURES | may_lack | MSR_FEATURE_RDTSCP | clock);
    config.rdtscp = false;
    build();
    assert_int_equal(msr_features(), CPUID_MSR_FEATURES | may_lack | clock);
}

/* A table of anything is answered from, whatever the guest asks, and from nothing else. */
static void any_table(void **state)
{
    uint32_t random = 1;

    for (unsigned round = 0; round < 20000; round++) {
        uint32_t *words = (uint32_t *)&table;
        for (unsigned i = 0; i < 20; i++) {
            random = random * 1664525 + 1013904223;
            words[random % (sizeof(table) / 4)] = random & 0x80000000 ? random >> 8 & 7 : random;
        }
        dynamic.xcr0 = random & 0xe7;
        cpuid(random & 1 ? random >> 24 & 0x1f : random, random >> 8 & 0x7f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_agree, setup),
        cmocka_unit_test_setup(every_bit_is_decided, setup),
        cmocka_unit_test_setup(needs, setup),
        cmocka_unit_test_setup(vector_features_follow_xcr0, setup),
        cmocka_unit_test_setup(follows_the_vcpu, setup),
        cmocka_unit_test_setup(xsave_sizes, setup),
        cmocka_unit_test_setup(xsaves_sizes, setup),
        cmocka_unit_test_setup(xcr0_values, setup),
        cmocka_unit_test_setup(topology, setup),
        cmocka_unit_test_setup(frequencies, setup),
        cmocka_unit_test_setup(no_frequencies, setup),
        cmocka_unit_test_setup(hypervisor_leaves, setup),
        cmocka_unit_test_setup(leaves_out_of_range, setup),
        cmocka_unit_test_setup(old_host, setup),
        cmocka_unit_test_setup(address_widths, setup),
        cmocka_unit_test_setup(derived, setup),
        cmocka_unit_test_setup(speculation_controls, setup),
        cmocka_unit_test_setup(any_table, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
