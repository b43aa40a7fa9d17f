/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of constrain.h (R31, R38). */
#include "hypervisor/msr/constrain.h"

bool constrain_type(uint8_t type, uint64_t types)
{
    return type < 8 && (types & BIT(type));
}

bool constrain_types(uint64_t value, uint64_t types)
{
    for (unsigned i = 0; i < 8; i++)
        if (!constrain_type((uint8_t)(value >> (8 * i)), types))
            return false;
    return true;
}

bool constrain_mtrr_variable(uint64_t value, bool odd, unsigned physical_width)
{
    uint64_t address = (BIT(physical_width) - 1) & ~(PAGE_SIZE - 1);
    if (odd)
        return (value & ~(address | MTRR_MASK_VALID)) == 0;
    return (value & ~(address | 0xff)) == 0 && constrain_type((uint8_t)value, MTRR_TYPES);
}
