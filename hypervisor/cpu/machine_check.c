/* SPDX-License-Identifier: BSD-2-Clause */
/* SDM volume 3, "Machine-Check Architecture". */
#include "hypervisor/cpu/machine_check.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/lib/bits.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"

#define MCG_STATUS_RIPV BIT(0)
#define MCI_STATUS_VAL  BIT(63)
#define MCI_STATUS_UC   BIT(61)
#define MCI_STATUS_PCC  BIT(57)

void machine_check(void)
{
    uint64_t mcg = rdmsr(MSR_IA32_MCG_STATUS);
    bool fatal = !(mcg & MCG_STATUS_RIPV);

    for (uint32_t i = 0; i < (rdmsr(MSR_IA32_MCG_CAP) & 0xff); i++) {
        uint64_t status = rdmsr(MSR_IA32_MC0_STATUS + 4 * i);
        if (!(status & MCI_STATUS_VAL))
            continue;
        log_line("machine check: bank %u, status %016lx", i, status);
        fatal |= (status & (MCI_STATUS_UC | MCI_STATUS_PCC)) != 0;
        wrmsr(MSR_IA32_MC0_STATUS + 4 * i, 0);
    }
    if (fatal)
        panic("machine check, IA32_MCG_STATUS %lx: the processor's state is lost", mcg);
    wrmsr(MSR_IA32_MCG_STATUS, 0);
}
