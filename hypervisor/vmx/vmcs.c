/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for VMCS fields and for the errors of VMX instructions (R8). */
#include "hypervisor/vmx/vmcs.h"

#include <stddef.h>

#include "lib/bits.h"

static const struct {
    enum vmcs_field field;
    const char *name;
} fields[VMCS_FIELD_COUNT] = {
#define FIELD(id, encoding, name) {encoding, name},
#include "abi/vmcs.def"
#undef FIELD
};

enum vmcs_field vmcs_field_at(unsigned index)
{
    return fields[index].field;
}

const char *vmcs_field_name(enum vmcs_field field)
{
    for (unsigned i = 0; i < VMCS_FIELD_COUNT; i++)
        if (fields[i].field == field)
            return fields[i].name;
    return "unknown field";
}

const char *vm_instruction_error_name(uint32_t error)
{
    static const char *const names[] = {
        [1] = "VMCALL executed in VMX root operation",
        [2] = "VMCLEAR with invalid physical address",
        [3] = "VMCLEAR with VMXON pointer",
        [4] = "VMLAUNCH with non-clear VMCS",
        [5] = "VMRESUME with non-launched VMCS",
        [6] = "VMRESUME after VMXOFF",
        [7] = "VM entry with invalid control fields",
        [8] = "VM entry with invalid host-state fields",
        [9] = "VMPTRLD with invalid physical address",
        [10] = "VMPTRLD with VMXON pointer",
        [11] = "VMPTRLD with incorrect VMCS revision identifier",
        [12] = "VMREAD or VMWRITE with unsupported VMCS component",
        [13] = "VMWRITE to read-only VMCS component",
        [15] = "VMXON executed in VMX root operation",
        [16] = "VM entry with invalid executive-VMCS pointer",
        [17] = "VM entry with non-launched executive VMCS",
        [18] = "VM entry with executive-VMCS pointer not VMXON pointer",
        [19] = "VMCALL with non-clear VMCS",
        [20] = "VMCALL with invalid VM-exit control fields",
        [22] = "VMCALL with incorrect MSEG revision identifier",
        [23] = "VMXOFF under dual-monitor treatment of SMIs and SMM",
        [24] = "VMCALL with invalid SMM-monitor features",
        [25] = "VM entry with invalid VM-execution control fields in executive VMCS",
        [26] = "VM entry with events blocked by MOV SS",
        [28] = "invalid operand to INVEPT or INVVPID",
    };
    const char *name = error < ARRAY_SIZE(names) ? names[error] : NULL;

    return name ? name : "unknown VM-instruction error";
}
