/* SPDX-License-Identifier: BSD-2-Clause */
/* The conditions before VMXON (R1, R2, R3), beside what `lintel caps` shows of them, too. */
#pragma once

#include "lib/vmx_caps.h"

/* IA32_FEATURE_CONTROL with VMXON outside SMX allowed and the lock set. */
uint64_t vmx_feature_control_value(const struct vmx_caps *caps);

/* The revision identifier that begins the VMXON region and each VMCS (R2). */
uint32_t vmx_revision(const struct vmx_caps *caps);

/* Says what is wrong with `phys` as the address of a VMXON region, a VMCS or a VMX bitmap (R2, R7),
 * or NULL. */
const char *vmx_region_fault(const struct vmx_caps *caps, uint64_t phys);

/* Whether CR0 or CR4 with this value has the bits of FIXED0, and none outside FIXED1 (R3). SDM
 * volume 3, "VMX-Fixed Bits in CR0". */
static inline bool vmx_fixed_ok(uint64_t value, uint64_t fixed0, uint64_t fixed1)
{
    return value == ((value | fixed0) & fixed1);
}

/* TSC ticks for one tick of the preemption timer, as a power of two (R42). */
static inline unsigned vmx_preemption_timer_shift(const struct vmx_caps *caps)
{
    return caps->misc & 0x1f;
}
