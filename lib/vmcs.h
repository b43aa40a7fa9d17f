/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the VMCS's fields and of the errors of VMX instructions (R8). */
#pragma once

#include <stdint.h>

#include "abi/vmcs.h"

/* The field in row `index` of vmcs.def, index < VMCS_FIELD_COUNT. */
enum vmcs_field vmcs_field_at(unsigned index);

/* The SDM's name of a field, or "unknown field". */
const char *vmcs_field_name(enum vmcs_field field);

/* What the VM-instruction error field says, in words (R8). SDM volume 3, "VM Instruction Error
 * Numbers". */
const char *vm_instruction_error_name(uint32_t error);
