/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID tells a guest: a table that its monitor fills before GATE_START, which copies it. Ring
 * 0 answers from it, and puts in what follows the vCPU's state. It can deceive nobody but the
 * guest: what a guest may do with MSRs, CR4 and XCR0 is ring 0's own decision.
 */
#pragma once

#include <stdint.h>

enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

#define CPUID_BASIC_MAX      0x16u
#define CPUID_HYPERVISOR     0x40000000u
#define CPUID_HYPERVISOR_MAX 0x40000010u
#define CPUID_EXTENDED       0x80000000u
#define CPUID_EXTENDED_MAX   0x80000008u
#define CPUID_XSTATE_COUNT   64 /* subleaves of leaf 0dh: one for each bit of XCR0 */

/* What the guest's state and the subleaf do to an answer. */
enum cpuid_rule {
    CPUID_RULE_NONE,
    CPUID_RULE_FEATURES,
    CPUID_RULE_CACHE,
    CPUID_RULE_MORE_FEATURES,
    CPUID_RULE_TOPOLOGY,
    CPUID_RULE_XSTATE,
};

/* One answer. `rule` is CPUID_RULE_NONE when the four registers are all there is to it. */
struct cpuid_answer {
    uint32_t reg[4];
    uint32_t rule; /* enum cpuid_rule */
};

struct cpuid_table {
    struct cpuid_answer basic[CPUID_BASIC_MAX + 1];
    struct cpuid_answer hypervisor[CPUID_HYPERVISOR_MAX - CPUID_HYPERVISOR + 1];
    struct cpuid_answer extended[CPUID_EXTENDED_MAX - CPUID_EXTENDED + 1];
    struct cpuid_answer cache[5];                   /* leaf 4; the last says "no more" */
    struct cpuid_answer topology[3];                /* leaf 0bh: thread, core, no more */
    struct cpuid_answer xstate[CPUID_XSTATE_COUNT]; /* leaf 0dh */
    struct cpuid_answer controls;                   /* leaf 7, subleaf 2 */
};

_Static_assert(sizeof(struct cpuid_table) == 122 * 20, "the table's layout is ABI");
_Static_assert(sizeof(struct cpuid_table) <= 4096, "it is one page");

/*
 * The answer of a leaf; above the highest, that of the highest basic leaf (SDM volume 2, "CPUID").
 * In the header because a whole exit is to cost about a hundred instructions.
 */
static inline const struct cpuid_answer *cpuid_find(const struct cpuid_table *table, uint32_t leaf)
{
    if (leaf <= CPUID_BASIC_MAX)
        return &table->basic[leaf];
    if (leaf - CPUID_EXTENDED <= CPUID_EXTENDED_MAX - CPUID_EXTENDED)
        return &table->extended[leaf - CPUID_EXTENDED];
    if (leaf - CPUID_HYPERVISOR <= CPUID_HYPERVISOR_MAX - CPUID_HYPERVISOR)
        return &table->hypervisor[leaf - CPUID_HYPERVISOR];
    return &table->basic[CPUID_BASIC_MAX];
}

/* The size of a standard-format XSAVE area for these components: behind the legacy region and the
 * header, where leaf 0dh says. */
static inline uint32_t cpuid_xsave_size(const struct cpuid_table *table, uint64_t xcr0)
{
    uint32_t size = 576;

    for (uint64_t left = xcr0 >> 2 << 2; left; left &= left - 1) {
        const uint32_t *reg = table->xstate[__builtin_ctzll(left)].reg;
        if (reg[CPUID_EAX] + reg[CPUID_EBX] > size)
            size = reg[CPUID_EAX] + reg[CPUID_EBX];
    }
    return size;
}

/* And of a compacted one, by XSAVEC or XSAVES. */
static inline uint32_t cpuid_compact_size(const struct cpuid_table *table, uint64_t components)
{
    uint32_t size = 576;

    for (uint64_t left = components >> 2 << 2; left; left &= left - 1) {
        const uint32_t *reg = table->xstate[__builtin_ctzll(left)].reg;
        if (reg[CPUID_ECX] & 2)
            size = (size + 63) & ~63u;
        size += reg[CPUID_EAX];
    }
    return size;
}
