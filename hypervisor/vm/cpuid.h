/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest executes CPUID (R24): ring 0 answers from its monitor's table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/cpuid.h"
#include "hypervisor/msr/msr.h"

/* What goes with bits of CPUID in ring 0, whatever the table says: the features whose MSRs a guest
 * has, beside those that the processor may lack (vm_msr_features); and the bits of CR4 that it may
 * set where the processor has them: VME to UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE, CET,
 * PKS. */
#define CPUID_MSR_FEATURES                                                                         \
    (MSR_FEATURE_TSC | MSR_FEATURE_APIC | MSR_FEATURE_SEP | MSR_FEATURE_MTRR | MSR_FEATURE_MCA |   \
     MSR_FEATURE_PAT | MSR_FEATURE_X2APIC | MSR_FEATURE_TSC_DEADLINE | MSR_FEATURE_TSC_ADJUST |    \
     MSR_FEATURE_SYSCALL | MSR_FEATURE_LM)
#define CPUID_CR4 0x1f70fffULL

/* The vCPU's state that CPUID shows. */
struct cpuid_dynamic {
    uint64_t cr4;
    uint64_t xcr0, xss;
    uint32_t apic_id;  /* the x2APIC id */
    bool apic_enabled; /* IA32_APIC_BASE's enable bit */
};

/*
 * EAX, EBX, ECX, EDX of an answer whose rule is not CPUID_RULE_NONE, for a subleaf and the vCPU's
 * state; it is right for any answer.
 */
void cpuid_apply_rule(const struct cpuid_table *table, const struct cpuid_answer *leaf,
                      uint32_t subleaf, const struct cpuid_dynamic *dynamic, uint32_t out[4]);

/* Whether XSETBV may set XCR0 to value, of the bits that are allowed (SDM volume 1, "Enabling the
 * XSAVE Feature Set"). */
bool cpuid_xcr0_valid(uint64_t allowed, uint64_t value);
