/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a value must be so that the CPU takes it: each function answers whether a WRMSR with it
 * would succeed, so that loading a guest's value never faults the host (R31, R38). All are
 * pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/cpu/registers.h"
#include "lib/bits.h"

/* Sets of types, bit n for type n: those of MTRRs, and of the PAT. */
#define MTRR_TYPES                                                                                 \
    (BIT(MEMORY_UNCACHEABLE) | BIT(MEMORY_WRITE_COMBINING) | BIT(MEMORY_WRITE_THROUGH) |           \
     BIT(MEMORY_WRITE_PROTECTED) | BIT(MEMORY_WRITE_BACK))
#define PAT_TYPES (MTRR_TYPES | BIT(MEMORY_UNCACHED))

/* One type of a set, as in IA32_MTRR_DEF_TYPE, of which the mask has seen to the reserved bits. */
bool constrain_type(uint8_t type, uint64_t types);

/* Eight types of a set, as in IA32_PAT (SDM volume 3, "IA32_PAT MSR") and the fixed-range MTRRs. */
bool constrain_types(uint64_t value, uint64_t types);

/* IA32_MTRR_PHYSBASEn (odd is false) or PHYSMASKn: the type, and the bits between the fields and
 * above the physical width. */
bool constrain_mtrr_variable(uint64_t value, bool odd, unsigned physical_width);
