/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a value must be so that the CPU takes it: each function answers whether a WRMSR with it
 * would succeed, so that loading a guest's value never faults the host (R31, R38). All are
 * pure.
 */
#ifndef MSR_CONSTRAIN_H
#define MSR_CONSTRAIN_H

#include <stdbool.h>
#include <stdint.h>

#define MTRR_DEF_TYPE_ENABLE 0x800ULL
#define MTRR_MASK_VALID      0x800ULL

enum memory_type {
    MEMORY_UNCACHEABLE = 0,
    MEMORY_WRITE_COMBINING = 1,
    MEMORY_WRITE_THROUGH = 4,
    MEMORY_WRITE_PROTECTED = 5,
    MEMORY_WRITE_BACK = 6,
    MEMORY_UNCACHED = 7, /* UC-: in the PAT only */
};

/* IA32_PAT: eight fields, each a type of the PAT (SDM volume 3, "IA32_PAT MSR"). */
bool constrain_pat(uint64_t value);

/* IA32_MTRR_DEF_TYPE: a type that MTRRs know; the mask has seen to the reserved bits. */
bool constrain_mtrr_def_type(uint64_t value);

/* A fixed-range MTRR: eight types that MTRRs know. */
bool constrain_mtrr_fixed(uint64_t value);

/* IA32_MTRR_PHYSBASEn (odd is false) or PHYSMASKn: the type, and the bits between the fields and
 * above the physical width. */
bool constrain_mtrr_variable(uint64_t value, bool odd, unsigned physical_width);

#endif
