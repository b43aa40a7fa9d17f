/* SPDX-License-Identifier: BSD-2-Clause */
/* What of CPUID follows the vCPU's state and the subleaf (R24). */
#include "hypervisor/vm/cpuid.h"

#include "hypervisor/cpu/registers.h"
#include "lib/bits.h"
#include "lib/string.h"

#define FEATURES_ECX_OSXSAVE BIT(27)
#define FEATURES_EDX_APIC    BIT(9)
#define STRUCTURED_ECX_OSPKE BIT(4)
#define XSAVES               BIT(3) /* leaf 0dh, subleaf 1 */

/* The subleaf of a leaf that has them; one beyond the last is the last. */
static const uint32_t *subleaf_of(const struct cpuid_answer *list, unsigned count, uint32_t subleaf)
{
    return list[subleaf < count ? subleaf : count - 1].reg;
}

void cpuid_apply_rule(const struct cpuid_table *table, const struct cpuid_answer *leaf,
                      uint32_t subleaf, const struct cpuid_dynamic *dynamic, uint32_t out[4])
{
    static const uint32_t nothing[4];
    const uint32_t *reg = leaf->reg;
    switch (leaf->rule) {
    case CPUID_RULE_MORE_FEATURES:
        reg = subleaf == 0 ? reg : subleaf == 2 ? table->controls.reg : nothing;
        break;
    case CPUID_RULE_CACHE:
        reg = subleaf_of(table->cache, ARRAY_SIZE(table->cache), subleaf);
        break;
    case CPUID_RULE_TOPOLOGY:
        reg = subleaf_of(table->topology, ARRAY_SIZE(table->topology), subleaf);
        break;
    case CPUID_RULE_XSTATE:
        reg = subleaf < CPUID_XSTATE_COUNT ? table->xstate[subleaf].reg : nothing;
        break;
    }
    memcpy(out, reg, 4 * sizeof(out[0]));

    if (leaf->rule == CPUID_RULE_FEATURES) {
        out[CPUID_EBX] |= dynamic->apic_id << 24;
        if (dynamic->cr4 & CR4_OSXSAVE)
            out[CPUID_ECX] |= FEATURES_ECX_OSXSAVE;
        if (!dynamic->apic_enabled)
            out[CPUID_EDX] &= ~(uint32_t)FEATURES_EDX_APIC;
    } else if (leaf->rule == CPUID_RULE_MORE_FEATURES && subleaf == 0) {
        if (dynamic->cr4 & CR4_PKE)
            out[CPUID_ECX] |= STRUCTURED_ECX_OSPKE;
    } else if (leaf->rule == CPUID_RULE_TOPOLOGY) {
        out[CPUID_ECX] |= subleaf & 0xff;
        out[CPUID_EDX] = dynamic->apic_id;
    } else if (leaf->rule == CPUID_RULE_XSTATE && subleaf == 0 && reg[CPUID_EAX] != 0) {
        out[CPUID_EBX] = cpuid_xsave_size(table, dynamic->xcr0);
    } else if (leaf->rule == CPUID_RULE_XSTATE && subleaf == 1 && reg[CPUID_EAX] & XSAVES) {
        out[CPUID_EBX] = cpuid_compact_size(table, dynamic->xcr0 | dynamic->xss);
    }
}

bool cpuid_xcr0_valid(uint64_t allowed, uint64_t value)
{
    if (!(value & XCR0_X87) || (value & ~allowed))
        return false;
    if ((value & XCR0_AVX) && !(value & XCR0_SSE))
        return false;
    uint64_t avx512 = value & XCR0_AVX512;
    return avx512 == 0 || (avx512 == XCR0_AVX512 && (value & XCR0_AVX));
}
