/* SPDX-License-Identifier: BSD-2-Clause */
/* R25: when a guest may read what the CPU holds of IA32_SPEC_CTRL. */
#include "hypervisor/vm/guest_spec_ctrl.h"

#include "hypervisor/vm/vm.h"

static struct spec_ctrl spec_ctrl; /* of all CPUs: they are the same */

uint64_t guest_spec_ctrl_init(void)
{
    spec_ctrl = spec_ctrl_of(&vmx.flaws);
    return spec_ctrl.forced;
}

/* A read need not exit while the CPU holds what the guest has written. */
static void set(struct vcpu *v, uint64_t value)
{
    bool same = spec_ctrl.settable != 0 && (spec_ctrl.forced & ~value) == 0;

    v->spec_ctrl = value;
    vcpu_pass_reads(v, msr_rows[MSR_ROW_SPEC_CTRL].first, same);
}

void guest_spec_ctrl_reset(struct vcpu *v)
{
    set(v, 0);
}

bool guest_spec_ctrl_write(struct vcpu *v, uint64_t value)
{
    if (value & ~(uint64_t)spec_ctrl.settable)
        return false;
    set(v, value);
    msr_switch_write(&THIS_CPU(vm_cpu).msr, &v->msr, MSR_SLOT_SPEC_CTRL, value | spec_ctrl.forced);
    return true;
}
