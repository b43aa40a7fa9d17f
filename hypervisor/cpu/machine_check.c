/* SPDX-License-Identifier: BSD-2-Clause */
/* SDM volume 3, "Machine-Check Architecture". No CPU with EPT needs bank 0 left alone. */
#include "hypervisor/cpu/machine_check.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"

#define MCG_CAP_COUNT   0xff
#define MCG_CAP_CTL_P   BIT(8)
#define MCG_STATUS_RIPV BIT(0)
#define MCI_STATUS_VAL  BIT(63)
#define MCI_STATUS_UC   BIT(61)
#define MCI_STATUS_PCC  BIT(57)

/* The emulator says that it has the architecture, and has none of its MSRs: no banks. */
static uint32_t bank_count(void)
{
    return rdmsr_or_zero(MSR_IA32_MCG_CAP) & MCG_CAP_COUNT;
}

void machine_check_report(void)
{
    for (uint32_t i = 0; i < bank_count(); i++) {
        uint64_t status = rdmsr(MSR_IA32_MC0_STATUS + 4 * i);
        if (!(status & MCI_STATUS_VAL))
            continue;
        log_line("machine check: bank %u, status %016lx", i, status);
        wrmsr(MSR_IA32_MC0_STATUS + 4 * i, 0);
    }
}

void machine_check_init(void)
{
    machine_check_report();
    if (rdmsr_or_zero(MSR_IA32_MCG_CAP) & MCG_CAP_CTL_P)
        wrmsr(MSR_IA32_MCG_CTL, UINT64_MAX);
    for (uint32_t i = 0; i < bank_count(); i++)
        wrmsr(MSR_IA32_MC0_CTL + 4 * i, UINT64_MAX);
}

void machine_check(void)
{
    uint64_t mcg = rdmsr(MSR_IA32_MCG_STATUS);
    bool fatal = !(mcg & MCG_STATUS_RIPV);

    for (uint32_t i = 0; i < bank_count(); i++) {
        uint64_t status = rdmsr(MSR_IA32_MC0_STATUS + 4 * i);
        fatal |= status & MCI_STATUS_VAL && status & (MCI_STATUS_UC | MCI_STATUS_PCC);
    }
    if (fatal) {
        machine_check_report();
        panic("machine check, IA32_MCG_STATUS %lx: the processor's state is lost", mcg);
    }
    wrmsr(MSR_IA32_MCG_STATUS, 0);
    apic_interrupt_self(VECTOR_MC_CAME);
}
