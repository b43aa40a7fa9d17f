/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/event_fields.h"

#include "hypervisor/cpu/registers.h"
#include "hypervisor/vm/enter.h"

static struct event_exit read_fields(void)
{
    return (struct event_exit){
        .vectoring_info = (uint32_t)vmread(VMCS_IDT_VECTORING_INFO),
        .vectoring_error_code = (uint32_t)vmread(VMCS_IDT_VECTORING_ERROR_CODE),
        .exit_info = (uint32_t)vmread(VMCS_EXIT_INTERRUPTION_INFO),
        .exit_error_code = (uint32_t)vmread(VMCS_EXIT_INTERRUPTION_ERROR_CODE),
        .instruction_length = (uint32_t)vmread(VMCS_EXIT_INSTRUCTION_LENGTH),
        .interruptibility = (uint32_t)vmread(VMCS_GUEST_INTERRUPTIBILITY),
        .protected_mode = vmread(VMCS_GUEST_CR0) & CR0_PE,
    };
}

static void apply(struct vcpu *v, struct event_decision d)
{
    if (d.triple_fault)
        exit_shutdown(v, SHUTDOWN_TRIPLE_FAULT, 0);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, d.interruptibility);
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, d.inject.info);
    vmwrite(VMCS_ENTRY_EXCEPTION_ERROR_CODE, d.inject.error_code);
    vmwrite(VMCS_ENTRY_INSTRUCTION_LENGTH, d.inject.length);
}

void event_fields_resume(struct vcpu *v)
{
    struct event_exit fields = read_fields();

    apply(v, event_resume(&fields));
}

void event_fields_reflect(struct vcpu *v)
{
    struct event_exit fields = read_fields();

    apply(v, event_reflect(&fields));
}

void vcpu_raise(struct vcpu *v, uint8_t vector, uint32_t error_code)
{
    struct event_exit fields = read_fields();

    apply(v, event_raise(&fields, vector, error_code));
    /* What a fault pushes has RF set, and an entry pushes what is in the field. A #DB may be a
     * trap. */
    if (vector != VECTOR_DB)
        vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
}
