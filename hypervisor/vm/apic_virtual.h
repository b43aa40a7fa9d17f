/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's virtualization of the local APIC (R40, R41): which of both, the processor or
 * vm/vlapic.c, delivers a vCPU's interrupts, and what passes between them through the VMCS. On a
 * CPU without the controls nothing of it happens.
 */
#pragma once

#include "hypervisor/vm/vcpu.h"

/* The fields that stay; the VMCS is the current one. The controls are off, and the fields that
 * change are written when they are switched on. */
void apic_virtual_init(struct vcpu *v);

/* The MSR bitmap while the processor delivers: base, and all that vlapic_is_virtualized. */
void apic_virtual_bitmap(uint8_t bitmap[4096], const uint8_t base[4096]);

/* To be called when vlapic_can_hand_over may have changed: the VMCS follows, which is then the
 * current one. */
void apic_virtual_update(struct vcpu *v);

/* Before an entry: the processor hears of what has been delivered. */
void apic_virtual_request(struct vcpu *v);

/* The guest has executed HLT. */
static inline void apic_virtual_halted(struct vcpu *v)
{
    if (v->lapic.handed_over)
        vlapic_halted(&v->lapic, (uint16_t)vmread(VMCS_GUEST_INTERRUPT_STATUS));
}
