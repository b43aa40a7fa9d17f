/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/msr/spec_ctrl.h"

#include "lib/bits.h"

#define FEATURE_IBRS BIT(26)
#define FEATURE_SSBD BIT(31)

#define CAPABILITY_IBRS_ALL BIT(1)
#define CAPABILITY_BHI_NO   BIT(20)

/* By the bits of CPUID leaf 7, subleaf 2, EDX. */
static const uint32_t by_control[] = {
    SPEC_CTRL_PSFD, SPEC_CTRL_IPRED_DIS, SPEC_CTRL_RRSBA_DIS, SPEC_CTRL_DDPD_U, SPEC_CTRL_BHI_DIS_S,
};

struct spec_ctrl spec_ctrl_of(const struct mitigation_facts *cpu)
{
    struct spec_ctrl s = {0, 0};

    if (!(cpu->features & FEATURE_IBRS))
        return s;
    /* With IBRS, STIBP may be set, whether it has an effect or not. */
    s.settable =
        SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | (cpu->features & FEATURE_SSBD ? SPEC_CTRL_SSBD : 0);
    for (unsigned bit = 0; bit < ARRAY_SIZE(by_control); bit++)
        if (cpu->controls & BIT(bit))
            s.settable |= by_control[bit];
    /* Where IBRS holds at all times once it is set (IBRS_ALL), not where it must be set at each
     * exit and slows a guest down. */
    if (cpu->capabilities & CAPABILITY_IBRS_ALL)
        s.forced |= SPEC_CTRL_IBRS;
    if (!(cpu->capabilities & CAPABILITY_BHI_NO))
        s.forced |= s.settable & SPEC_CTRL_BHI_DIS_S;
    return s;
}
