/* SPDX-License-Identifier: BSD-2-Clause */
/* R25, R46: the TSC offset, and when a guest may read the CPU's own IA32_TSC_ADJUST. */
#include "hypervisor/vm/guest_tsc.h"

#include "hypervisor/cpu/registers.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/vm.h"

/* Whether the CPU has IA32_TSC_ADJUST, and as a reset leaves it: some firmware moves the TSC. */
static bool host_is_reset(void)
{
    return cpuid(7, 0).ebx & CPUID_7_EBX_TSC_ADJUST &&
           rdmsr(MSR_IA32_TSC_ADJUST) == msr_rows[MSR_ROW_TSC_ADJUST].reset;
}

void guest_tsc_reset(struct vcpu *v)
{
    vmwrite(VMCS_TSC_OFFSET, v->tsc_offset = 0);
    vcpu_pass_reads(v, MSR_IA32_TSC_ADJUST, host_is_reset());
}

void guest_tsc_move(struct vcpu *v, uint64_t delta)
{
    uint64_t now = guest_tsc(v);

    v->tsc_offset += delta;
    v->msr.file.value[MSR_SLOT_TSC_ADJUST] += delta;
    vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
    vcpu_pass_reads(v, MSR_IA32_TSC_ADJUST, false);
    vlapic_tsc_moved(&v->lapic, now, delta);
    events_deadline_changed(v, rdtsc());
    events_clock(v, EVENT_CLOCK);
}
