/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for VMCS fields and for the errors of VMX instructions (R8). */
#include "lib/vmcs.h"

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
#define VM_ERROR(number, words) [number] = (words),
#include "abi/instruction_errors.def"
#undef VM_ERROR
    };
    const char *name = error < ARRAY_SIZE(names) ? names[error] : NULL;

    return name ? name : "unknown VM-instruction error";
}
