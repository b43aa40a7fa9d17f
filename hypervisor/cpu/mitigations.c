/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/mitigations.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/report/log.h"

static uint32_t on; /* of all CPUs: they are the same */

void mitigations_init(const struct mitigation_facts *facts, const uint32_t off[MITIGATION_COUNT])
{
    uint32_t needed = mitigations_needed(facts);

    on = needed;
    for (unsigned id = 0; id < MITIGATION_ROWS; id++)
        if (id >= MITIGATION_COUNT || off[id])
            on &= ~(uint32_t)BIT(id);
#define MITIGATION(id, name, ...)                                                                  \
    if (needed & BIT(MITIGATION_##id))                                                             \
        log_line("mitigation " name "%s", mitigation_is_on(MITIGATION_##id)    ? ""                \
                                          : MITIGATION_##id < MITIGATION_COUNT ? ": left out"      \
                                                                               : ": missing");
#define MISSING MITIGATION
#include "lib/mitigations.def"
}

void mitigations_take_up(void)
{
    if (mitigation_is_on(MITIGATION_TSX))
        wrmsr(MSR_IA32_TSX_CTRL, rdmsr(MSR_IA32_TSX_CTRL) | TSX_CTRL_RTM_DISABLE);
}

bool mitigation_is_on(enum mitigation id)
{
    return on & BIT(id);
}
