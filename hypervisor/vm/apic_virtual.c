/* SPDX-License-Identifier: BSD-2-Clause */
/* R7, R25, R40, R41: SDM volume 3, "APIC Virtualization and Virtual Interrupts". */
#include "hypervisor/vm/apic_virtual.h"

#include "hypervisor/vm/vm.h"
#include "lib/string.h"

#define EOI_EXIT_BITMAPS 4

#define PROC2_MASK                                                                                 \
    (CONTROL_MASK(VIRTUALIZE_X2APIC_MODE) | CONTROL_MASK(APIC_REGISTER_VIRTUALIZATION) |           \
     CONTROL_MASK(VIRTUAL_INTERRUPT_DELIVERY))

/* MOV to and from CR8 reach the page's TPR instead of the host's. */
#define CR8_EXITING (CONTROL_MASK(CR8_LOAD_EXITING) | CONTROL_MASK(CR8_STORE_EXITING))

void apic_virtual_init(struct vcpu *v)
{
    if (!control_has(&vmx.controls, CONTROL_VIRTUAL_INTERRUPT_DELIVERY))
        return;
    vmwrite(VMCS_VIRTUAL_APIC_ADDRESS, phys_of(v->lapic_page));
    vmwrite(VMCS_TPR_THRESHOLD, 0); /* not looked at: the processor delivers when the TPR falls */
}

void apic_virtual_bitmap(uint8_t bitmap[4096], const uint8_t base[4096])
{
    memcpy(bitmap, base, 4096);
    for (uint32_t msr = X2APIC_MSR_FIRST; msr <= X2APIC_MSR_LAST; msr++) {
        msr_bitmap_set(bitmap, msr, false, !vlapic_is_virtualized(msr, false));
        msr_bitmap_set(bitmap, msr, true, !vlapic_is_virtualized(msr, true));
    }
}

/* An MSR that passes without these controls is the host's own: bitmap and controls change together
 * (R25). */
static void write_controls(struct vcpu *v, bool on)
{
    uint32_t proc = v->proc_controls & ~(CONTROL_MASK(TPR_SHADOW) | CR8_EXITING);

    /* With interrupt-window exiting the processor would hold back what it is to deliver. */
    if (on)
        proc = (proc & ~CONTROL_MASK(INTERRUPT_WINDOW_EXITING)) | CONTROL_MASK(TPR_SHADOW);
    else
        proc |= CR8_EXITING;
    vmwrite(VMCS_PROC_CONTROLS, v->proc_controls = proc);
    vmwrite(VMCS_PROC2_CONTROLS, on ? vmx.controls.proc2 | PROC2_MASK : vmx.controls.proc2);
    vmwrite(VMCS_MSR_BITMAPS, phys_of(on ? v->msr_bitmap_virtual : v->msr_bitmap));
}

void apic_virtual_update(struct vcpu *v)
{
    bool was = v->proc_controls & CONTROL_MASK(TPR_SHADOW);
    bool on = control_has(&vmx.controls, CONTROL_VIRTUAL_INTERRUPT_DELIVERY) &&
              vlapic_can_hand_over(&v->lapic);

    if (on && !v->lapic.handed_over) {
        vmwrite(VMCS_GUEST_INTERRUPT_STATUS, vlapic_hand_over(&v->lapic));
        apic_virtual_request(v);
    } else if (!on && v->lapic.handed_over) {
        vlapic_take_back(&v->lapic);
    }
    if (on != was)
        write_controls(v, on);
}

void apic_virtual_request(struct vcpu *v)
{
    uint16_t old = (uint16_t)vmread(VMCS_GUEST_INTERRUPT_STATUS),
             status = vlapic_request(&v->lapic, old);

    if (status != old)
        vmwrite(VMCS_GUEST_INTERRUPT_STATUS, status);
    if (!v->lapic.levels_changed)
        return;
    v->lapic.levels_changed = false;
    for (unsigned n = 0; n < EOI_EXIT_BITMAPS; n++) /* the fields lie two apart */
        vmwrite((enum vmcs_field)(VMCS_EOI_EXIT_BITMAP_0 + 2 * n), vlapic_eoi_exits(&v->lapic, n));
}
