/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID tells a guest (R24, R21, R46): a table made once for each VM from the host's own
 * answers and vm/cpuid.def, and the few bits that follow the vCPU's state, put in when CPUID is
 * executed.
 */
#ifndef VM_CPUID_H
#define VM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

#define CPUID_BASIC_MAX      0x16u
#define CPUID_HYPERVISOR     0x40000000u
#define CPUID_HYPERVISOR_MAX 0x40000010u
#define CPUID_EXTENDED       0x80000000u
#define CPUID_EXTENDED_MAX   0x80000008u
#define CPUID_XSTATE_COUNT   64 /* subleaves of leaf 0dh: one for each bit of XCR0 */

struct cpuid_config {
    uint32_t tsc_khz; /* of the guest's TSC, measured */
    bool tsc_exact;   /* to a few ppm: a guest need not calibrate */
    uint32_t vcpus;   /* APIC ids are 0 .. vcpus - 1 */
    uint64_t
        xcr0;     /* what the hypervisor switches; the host's CPUID and the policy take bits away */
    bool rdtscp;  /* the VMX control "enable RDTSCP" is set; RDPID goes with it */
    bool invpcid; /* the VMX control "enable INVPCID" is set */
};

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
    uint64_t xcr0;                                  /* what XSETBV may set */
};

/* The vCPU's state that CPUID shows. */
struct cpuid_dynamic {
    uint64_t cr4;
    uint64_t xcr0;
    uint32_t apic_id;  /* the x2APIC id */
    bool apic_enabled; /* IA32_APIC_BASE's enable bit */
};

/* The host's CPUID, read by the caller. */
typedef void cpuid_host(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* Makes the table of a VM. */
void cpuid_build(struct cpuid_table *table, cpuid_host *host, const struct cpuid_config *config);

/*
 * The guest executes CPUID: the answer of its leaf; above the highest, that of the highest basic
 * leaf (SDM volume 2, "CPUID"). In the header because a whole exit is to cost about a hundred
 * instructions.
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

/*
 * EAX, EBX, ECX, EDX of an answer whose rule is not CPUID_RULE_NONE, for a subleaf and the vCPU's
 * state; it is right for any answer.
 */
void cpuid_apply_rule(const struct cpuid_table *table, const struct cpuid_answer *leaf,
                      uint32_t subleaf, const struct cpuid_dynamic *dynamic, uint32_t out[4]);

/* The features that the table gives the guest, as the mask that msr_file.features wants
 * (MSR_FEATURE_*). */
uint32_t cpuid_msr_features(const struct cpuid_table *table);

/* The bits of CR4 that the table's features allow the guest to set; all others
 * are reserved: #GP. */
uint64_t cpuid_cr4_allowed(const struct cpuid_table *table);

/* Whether XSETBV may set XCR0 to value (SDM volume 1, "Enabling the XSAVE Feature Set"). */
bool cpuid_xcr0_valid(const struct cpuid_table *table, uint64_t value);

#endif
