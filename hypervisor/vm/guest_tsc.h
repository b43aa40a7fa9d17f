/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's TSC: the CPU's and an offset. SDM volume 3, "Time-Stamp Counter Adjustment" and "TSC
 * offset". */
#pragma once

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/vm/vcpu.h"

static inline uint64_t guest_tsc(const struct vcpu *v)
{
    return rdtsc() + v->tsc_offset;
}

/* Reset: the guest's TSC is the CPU's, and v's MSR file holds IA32_TSC_ADJUST's reset value. v's
 * VMCS is current. */
void guest_tsc_reset(struct vcpu *v);

/* A write to IA32_TIME_STAMP_COUNTER or IA32_TSC_ADJUST: both move by delta. v's
 * VMCS is current. */
void guest_tsc_move(struct vcpu *v, uint64_t delta);
