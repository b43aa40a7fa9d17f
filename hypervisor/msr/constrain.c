/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of constrain.h (R31, R38). */
#include "hypervisor/msr/constrain.h"
#include "lib/bits.h"

/* Bit n: type n exists. */
#define MTRR_TYPES                                                                                 \
    (BIT(MEMORY_UNCACHEABLE) | BIT(MEMORY_WRITE_COMBINING) | BIT(MEMORY_WRITE_THROUGH) |           \
     BIT(MEMORY_WRITE_PROTECTED) | BIT(MEMORY_WRITE_BACK))
#define PAT_TYPES (MTRR_TYPES | BIT(MEMORY_UNCACHED))

static bool is_type(uint8_t type, uint64_t types)
{
    return type < 8 && (types & BIT(type));
}

static bool are_types(uint64_t value, uint64_t types)
{
    for (unsigned i = 0; i < 8; i++)
        if (!is_type((uint8_t)(value >> (8 * i)), types))
            return false;
    return true;
}

bool constrain_pat(uint64_t value)
{
    return are_types(value, PAT_TYPES);
}

bool constrain_mtrr_def_type(uint64_t value)
{
    return is_type((uint8_t)value, MTRR_TYPES);
}

bool constrain_mtrr_fixed(uint64_t value)
{
    return are_types(value, MTRR_TYPES);
}

bool constrain_mtrr_variable(uint64_t value, bool odd, unsigned physical_width)
{
    uint64_t address = (BIT(physical_width) - 1) & ~(PAGE_SIZE - 1);
    if (odd)
        return (value & ~(address | MTRR_MASK_VALID)) == 0;
    return (value & ~(address | 0xff)) == 0 && is_type((uint8_t)value, MTRR_TYPES);
}
