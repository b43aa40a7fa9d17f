/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/same.h"

#include <stdbool.h>

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mtrr.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

#define ALL  UINT32_MAX
#define NONE 0

/* Of each register, what is not the CPU's own number, or follows from what runs on it. */
static const struct {
    uint32_t leaf, subleaf, mask[4]; /* EAX, EBX, ECX, EDX */
} leaves[] = {
    {0, 0, {ALL, ALL, ALL, ALL}},
    {1, 0, {ALL, 0xff00, ALL, ALL}},
    {7, 0, {ALL, ALL, ALL, ALL}},
    {7, 1, {ALL, ALL, ALL, ALL}},
    {7, 2, {ALL, ALL, ALL, ALL}}, /* the bits of IA32_SPEC_CTRL */
    {0xd, 0, {ALL, NONE, ALL, ALL}},
    {0xd, 1, {ALL, NONE, ALL, ALL}},
    {0x15, 0, {ALL, ALL, ALL, NONE}},
    {0x80000001, 0, {ALL, NONE, ALL, ALL}},
    {0x80000008, 0, {ALL, ALL, NONE, NONE}},
};

/* What a CPU does not have reads as 0. */
static const struct {
    uint32_t first, last;
} msrs[] = {
    {MSR_IA32_FEATURE_CONTROL, MSR_IA32_FEATURE_CONTROL},
    {MSR_IA32_ARCH_CAPABILITIES, MSR_IA32_ARCH_CAPABILITIES},
    {0xfe, 0xfe}, /* the MTRRs */
    {0x200, 0x21f},
    {0x2ff, 0x2ff},
    {0x480, 0x493}, /* the capabilities of VMX */
};

#define FACTS_MAX 128

static uint64_t facts[FACTS_MAX];
static struct mtrrs mtrrs;

/* Remembers a fact, or compares it. */
static bool matches(bool remember, unsigned n, uint64_t value)
{
    if (remember)
        facts[n] = value;
    return facts[n] == value;
}

/* False: the first that does not match is in `what`. */
static bool look(bool remember, char *what, size_t size)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        struct cpuid_result r = cpuid(leaves[i].leaf & 0x80000000, 0);
        r = leaves[i].leaf <= r.eax ? cpuid(leaves[i].leaf, leaves[i].subleaf)
                                    : (struct cpuid_result){0}; /* or it would be another one's */
        const uint32_t value[] = {r.eax, r.ebx, r.ecx, r.edx};
        for (unsigned reg = 0; reg < ARRAY_SIZE(value); reg++)
            if (!matches(remember, n++, value[reg] & leaves[i].mask[reg])) {
                format(what, size, "CPUID leaf %x.%x, E%cX", leaves[i].leaf, leaves[i].subleaf,
                       "ABCD"[reg]);
                return false;
            }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
        for (uint32_t index = msrs[i].first; index <= msrs[i].last; index++)
            if (!matches(remember, n++, rdmsr_or_zero(index))) {
                format(what, size, "MSR %x", index);
                return false;
            }
    format(what, size, "its microcode");
    return matches(remember, n, cpu_microcode());
}

/* Some firmwares set only the first one's up, and an INIT clears those of some emulators (SDM
 * volume 3, "MTRR Considerations in MP Systems"). */
static void follow_mtrrs(void)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();
    struct mtrrs mine;

    mtrr_read(&mine);
    if (memcmp(&mine, &mtrrs, sizeof(mine)) == 0 || mine.count != mtrrs.count)
        return;
    write_cr0(cr0 | CR0_CD);
    wbinvd();
    write_cr4(cr4 & ~CR4_PGE); /* which drops all translations */
    mtrr_write(&mtrrs);
    wbinvd();
    write_cr0(cr0);
    write_cr4(cr4);
}

void same_remember(void)
{
    char none[1];

    mtrr_read(&mtrrs);
    look(true, none, sizeof(none));
}

void same_as_first(char *what, size_t size)
{
    follow_mtrrs();
    if (look(false, what, size))
        what[0] = '\0';
}
