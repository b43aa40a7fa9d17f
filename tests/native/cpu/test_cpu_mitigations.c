/* SPDX-License-Identifier: BSD-2-Clause */
/* What ring 0 does on which CPU, by what that says of itself (cpu/mitigations.def). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"

#define IBPB (1u << MITIGATION_IBPB)
#define VERW (1u << MITIGATION_VERW)
#define L1D  (1u << MITIGATION_L1D)

/* CPUID leaf 7, EDX. */
#define MD_CLEAR  (1u << 10)
#define SPEC_CTRL (1u << 26)
#define L1D_FLUSH (1u << 28)
#define ARCH_CAP  (1u << 29)

/* IA32_ARCH_CAPABILITIES. */
#define RDCL_NO    (1 << 0)
#define SKIP_L1D   (1 << 3)
#define MDS_NO     (1 << 5)
#define TAA_NO     (1 << 8)
#define MMIO_NO    (7 << 13)
#define FB_CLEAR   (1 << 17)
#define RFDS_NO    (1 << 27)
#define RFDS_CLEAR (1 << 28)

static const struct profile {
    const char *name;
    struct mitigation_facts facts;
    uint32_t needed;
} profiles[] = {
    {"Westmere, as it was sold", {0, false, 0}, 0},
    {"Haswell, with microcode", {SPEC_CTRL | L1D_FLUSH | MD_CLEAR, true, 0}, IBPB | VERW | L1D},
    {"Skylake, of 2018, before MDS", {SPEC_CTRL | L1D_FLUSH, true, 0}, IBPB | L1D},
    {"Coffee Lake R",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, true, RDCL_NO | SKIP_L1D | FB_CLEAR},
     IBPB | VERW},
    {"Cascade Lake, with TSX",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, true, RDCL_NO | SKIP_L1D | MDS_NO | FB_CLEAR},
     IBPB | VERW},
    {"Cascade Lake, without, before MMIO stale data",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, false, RDCL_NO | SKIP_L1D | MDS_NO},
     IBPB},
    {"Ice Lake",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, true,
      RDCL_NO | SKIP_L1D | MDS_NO | TAA_NO | FB_CLEAR},
     IBPB | VERW},
    {"Goldmont Plus",
     {SPEC_CTRL | MD_CLEAR | ARCH_CAP, false, RDCL_NO | SKIP_L1D | MDS_NO | TAA_NO | RFDS_CLEAR},
     IBPB | VERW},
    {"Alder Lake",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, false,
      RDCL_NO | SKIP_L1D | MDS_NO | TAA_NO | MMIO_NO | FB_CLEAR | RFDS_CLEAR},
     IBPB | VERW},
    {"Sapphire Rapids",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, true,
      RDCL_NO | SKIP_L1D | MDS_NO | TAA_NO | MMIO_NO | FB_CLEAR | RFDS_NO},
     IBPB},
    {"under a hypervisor that empties the cache",
     {SPEC_CTRL | L1D_FLUSH | MD_CLEAR | ARCH_CAP, false, SKIP_L1D},
     IBPB | VERW},
};

static struct mitigation_facts machine;
static char said[256];

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(leaf, 7);
    return (struct cpuid_result){.ebx = machine.rtm ? 1u << 11 : 0, .edx = machine.features};
}

uint64_t rdmsr_or_zero(uint32_t index)
{
    assert_int_equal(index, 0x10a);
    return machine.features & ARCH_CAP ? machine.capabilities : 0;
}

void log_record(enum log_kind kind, uint8_t vm, const char *text, ...)
{
    size_t length = strlen(said);
    va_list list;

    va_start(list, text);
    vsnprintf(said + length, sizeof(said) - length, text, list);
    va_end(list);
    strcat(said, "\n");
}

static void each_cpu(void **state)
{
    static const uint32_t nothing[MITIGATION_COUNT];

    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        const struct profile *p = &profiles[i];
        if (mitigations_needed(&p->facts) != p->needed)
            fail_msg("%s: %x, not %x", p->name, mitigations_needed(&p->facts), p->needed);
        machine = p->facts;
        said[0] = '\0';
        mitigations_init(nothing);
        for (unsigned id = 0; id < MITIGATION_COUNT; id++)
            assert_int_equal(mitigation_is_on(id), p->needed >> id & 1);
    }
}

/* A "no" is believed only of its own flaw, and a command is given only where the CPU has it. */
static void each_bit(void **state)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        struct mitigation_facts f = {~(1u << bit), true, 0};
        uint32_t lost = bit == 26 ? IBPB : bit == 10 ? VERW : bit == 28 ? L1D : 0;
        assert_int_equal(mitigations_needed(&f), (IBPB | VERW | L1D) & ~lost);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        struct mitigation_facts f = {SPEC_CTRL | L1D_FLUSH, false, 1ULL << bit};
        uint32_t verw = 1ULL << bit == FB_CLEAR || 1ULL << bit == RFDS_CLEAR ? VERW : 0;
        uint32_t l1d = 1ULL << bit == RDCL_NO || 1ULL << bit == SKIP_L1D ? 0 : L1D;
        assert_int_equal(mitigations_needed(&f), IBPB | verw | l1d);
    }
}

static void left_out(void **state)
{
    uint32_t off[MITIGATION_COUNT] = {[MITIGATION_VERW] = true};

    machine = profiles[1].facts;
    said[0] = '\0';
    mitigations_init(off);
    assert_true(mitigation_is_on(MITIGATION_IBPB) && mitigation_is_on(MITIGATION_L1D));
    assert_false(mitigation_is_on(MITIGATION_VERW));
    assert_string_equal(said, "mitigation ibpb\nmitigation verw: left out\nmitigation l1d\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cpu),
        cmocka_unit_test(each_bit),
        cmocka_unit_test(left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
