/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/mitigations.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"
#include "lib/bits.h"

static uint32_t on; /* of all CPUs: they are the same */

uint32_t mitigations_needed(const struct mitigation_facts *f)
{
#define HAS(bit)                          ((f->features & BIT(bit)) != 0)
#define CAN(bit)                          ((f->capabilities & BIT(bit)) != 0)
#define MITIGATION(id, name, needed, ...) | ((needed) ? BIT(MITIGATION_##id) : 0)
    return 0
#include "hypervisor/cpu/mitigations.def"
        ;
}

void mitigations_init(const uint32_t off[MITIGATION_COUNT])
{
    struct cpuid_result r = cpuid(7, 0);
    uint32_t needed = mitigations_needed(&(struct mitigation_facts){
        .features = r.edx,
        .controls = r.eax >= 2 ? cpuid(7, 2).edx : 0,
        .rtm = r.ebx & CPUID_7_EBX_RTM,
        .capabilities = rdmsr_or_zero(MSR_IA32_ARCH_CAPABILITIES),
    });

    on = needed;
    for (unsigned id = 0; id < MITIGATION_COUNT; id++)
        if (off[id])
            on &= ~(uint32_t)BIT(id);
#define MITIGATION(id, name, ...)                                                                  \
    if (needed & BIT(MITIGATION_##id))                                                             \
        log_line("mitigation " name "%s", mitigation_is_on(MITIGATION_##id) ? "" : ": left out");
#include "hypervisor/cpu/mitigations.def"
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
