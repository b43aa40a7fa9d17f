/* SPDX-License-Identifier: BSD-2-Clause */
/* R18: a CPU that differs from the first one in anything that all must have in common is told
 * apart, and by the name of that; and it gets the first one's MTRRs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/same.h"
#include "hypervisor/cpu/trap.h"
#include "lib/bits.h"

#define CD        0x40000000
#define PGE       0x80
#define CAPACITY  0xfe
#define BASE(n)   (0x200 + 2 * (n))
#define DEF_TYPE  0x2ff
#define ENABLED   0x800
#define VARIABLES 4

/* The CPU that runs. */
static struct {
    struct cpuid_result leaf1, leaf7, address_sizes;
    uint32_t max_leaf;
    uint64_t features, microcode; /* features: of VMX, an MSR */
    uint64_t mtrr[0x100];         /* from 200h on */
    uint64_t cr0, cr4;
    unsigned flushes; /* of its cache */
} cpu;

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    switch (leaf) {
    case 0:
        return (struct cpuid_result){.eax = cpu.max_leaf};
    case 1:
        return cpu.leaf1;
    case 7:
        assert_true(cpu.max_leaf >= 7); /* it would be another leaf's */
        return subleaf == 0 ? cpu.leaf7 : (struct cpuid_result){0};
    case 0x80000000:
        return (struct cpuid_result){.eax = 0x80000008};
    case 0x80000008:
        return cpu.address_sizes;
    default:
        return (struct cpuid_result){.eax = leaf ^ subleaf};
    }
}

static uint64_t *mtrr(uint32_t index)
{
    return index >= 0x200 && index < 0x300 ? &cpu.mtrr[index - 0x200] : NULL;
}

uint64_t rdmsr_or_zero(uint32_t index)
{
    if (mtrr(index) != NULL)
        return *mtrr(index);
    return index == CAPACITY ? VARIABLES : index == 0x48c ? cpu.features : 0;
}

uint64_t rdmsr(uint32_t index)
{
    return rdmsr_or_zero(index);
}

void wrmsr(uint32_t index, uint64_t value)
{
    assert_non_null(mtrr(index));
    assert_true(cpu.cr0 & CD);
    assert_false(cpu.cr4 & PGE);
    assert_true(cpu.flushes > 0);
    assert_true(index == DEF_TYPE || !(*mtrr(DEF_TYPE) & ENABLED));
    *mtrr(index) = value;
}

uint64_t read_cr0(void)
{
    return cpu.cr0;
}

void write_cr0(uint64_t value)
{
    cpu.cr0 = value;
}

uint64_t read_cr4(void)
{
    return cpu.cr4;
}

void write_cr4(uint64_t value)
{
    cpu.cr4 = value;
}

void wbinvd(void)
{
    cpu.flushes++;
}

uint64_t cpu_microcode(void)
{
    return cpu.microcode;
}

static int first(void **state)
{
    memset(&cpu, 0, sizeof(cpu));
    cpu.max_leaf = 0x16;
    cpu.leaf1 = (struct cpuid_result){0x50654, 0x800, 0x7ffafbff, 0xbfebfbff};
    cpu.leaf7 = (struct cpuid_result){0, 0xd39ffffb, 8, 0xbc000400};
    cpu.address_sizes = (struct cpuid_result){0x302e, 0, 0, 0};
    cpu.features = 0xf0106734141;
    cpu.microcode = 0x200005e00000000;
    *mtrr(BASE(1)) = 0x80000006;
    *mtrr(BASE(1) + 1) = 0xffff80000800;
    *mtrr(DEF_TYPE) = 0xc06;
    cpu.cr0 = 0x80050033;
    cpu.cr4 = 0x3406e0;
    same_remember();
    return 0;
}

static void differs(const char *in)
{
    char what[40];

    same_as_first(what, sizeof(what));
    assert_string_equal(what, in);
}

static void alike(void **state)
{
    cpu.leaf1.ebx |= 0x3000000; /* its APIC id */
    differs("");
    assert_int_equal(cpu.flushes, 0);
}

static void a_feature(void **state)
{
    cpu.leaf7.ebx &= ~0x100u;
    differs("CPUID leaf 7.0, EBX");
}

static void fewer_leaves(void **state)
{
    cpu.max_leaf = 5;
    differs("CPUID leaf 0.0, EAX");
}

static void an_older_processor(void **state)
{
    cpu.max_leaf = 5;
    same_remember();
    differs("");
}

static void address_sizes(void **state)
{
    cpu.address_sizes.eax = 0x3027;
    differs("CPUID leaf 80000008.0, EAX");
}

static void vmx(void **state)
{
    cpu.features &= ~BIT(21);
    differs("MSR 48c");
}

static void microcode(void **state)
{
    cpu.microcode -= BIT(32);
    differs("its microcode");
}

static void mtrrs(void **state)
{
    memset(cpu.mtrr, 0, sizeof(cpu.mtrr));
    *mtrr(BASE(0)) = 6;
    *mtrr(DEF_TYPE) = 0xc00;
    differs("");
    assert_int_equal(cpu.flushes, 2);
    assert_int_equal(*mtrr(BASE(1)), 0x80000006);
    assert_int_equal(*mtrr(BASE(1) + 1), 0xffff80000800);
    assert_int_equal(*mtrr(DEF_TYPE), 0xc06);
    assert_int_equal(cpu.cr0, 0x80050033);
    assert_int_equal(cpu.cr4, 0x3406e0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(alike, first),
        cmocka_unit_test_setup(a_feature, first),
        cmocka_unit_test_setup(fewer_leaves, first),
        cmocka_unit_test_setup(an_older_processor, first),
        cmocka_unit_test_setup(address_sizes, first),
        cmocka_unit_test_setup(vmx, first),
        cmocka_unit_test_setup(microcode, first),
        cmocka_unit_test_setup(mtrrs, first),
    };

    return cmocka_run_group_tests_name("CPUs that differ", tests, NULL, NULL);
}
