/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits of a local APIC that the processor virtualizes (R41). Both come behind the instruction that
 * caused them. */
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/guest_tsc.h"
#include "lib/bits.h"

/* The end of a level-triggered interrupt: the processor has done all but tell the IOAPIC. */
void exit_virtualized_eoi(struct vcpu *v)
{
    const struct vlapic_effect effect = {
        .what = VLAPIC_EFFECT_EOI,
        .eoi_vector = (uint8_t)vmread(VMCS_EXIT_QUALIFICATION),
    };

    events_apic_effect(v, &effect);
}

/* SELF_IPI with a vector below 16, which is an error of the APIC's: the value is in the page. */
void exit_apic_write(struct vcpu *v)
{
    uint32_t offset = (uint32_t)vmread(VMCS_EXIT_QUALIFICATION) & (PAGE_SIZE - 1);
    uint32_t msr = X2APIC_MSR_FIRST + (offset >> 4);
    struct vlapic_effect effect;

    if (vlapic_write_msr(&v->lapic, msr, v->lapic_page[offset / 4], guest_tsc(v), &effect) ==
        VLAPIC_OK)
        events_apic_effect(v, &effect);
}
