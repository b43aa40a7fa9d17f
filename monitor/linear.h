/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation in software: from segment and offset to a linear address, with the CPU's checks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "lib/bits.h"
#include "monitor/decode.h"
#include "monitor/emulate.h"
#include "monitor/x86.h"

/* The mode that the code at CS:RIP runs in. Real mode is DECODE_16, unless CS.D says otherwise. */
static inline enum decode_mode code_mode(const struct guest_state *state)
{
    uint16_t access = state->segment[SEG_CS].access;

    if ((state->efer & EFER_LMA) && (access & ACCESS_L))
        return DECODE_64;
    return access & ACCESS_DB ? DECODE_32 : DECODE_16;
}

/* The size of stack pointer, in bytes, that PUSH and POP use. */
static inline unsigned stack_size(const struct guest_state *state)
{
    if (code_mode(state) == DECODE_64)
        return 8;
    return state->segment[SEG_SS].access & ACCESS_DB ? 4 : 2;
}

/* Where the instruction at CS:RIP lies. The CPU has fetched it: nothing is checked. */
static inline uint64_t code_address(const struct guest_state *state)
{
    if (code_mode(state) == DECODE_64)
        return state->rip;
    return (uint32_t)(state->segment[SEG_CS].base + state->rip);
}

/* linear_address() where it is not simply good. */
bool linear_address_checked(const struct guest_state *state, enum segment segment, uint64_t offset,
                            unsigned size, bool write, uint64_t *linear,
                            struct emulate_fault *fault);

/*
 * The linear address of `size` bytes at segment:offset, for a read or a write. False: *fault is
 * #GP(0) or #SS(0) (SDM volume 3, "Limit Checking", "Type Checking"; volume 1, "Canonical
 * Addressing").
 */
static inline bool linear_address(const struct guest_state *state, enum segment segment,
                                  uint64_t offset, unsigned size, bool write, uint64_t *linear,
                                  struct emulate_fault *fault)
{
    *linear = offset;
    if (code_mode(state) == DECODE_64 && segment < SEG_FS && is_canonical(offset) &&
        is_canonical(offset + size - 1))
        return true;
    return linear_address_checked(state, segment, offset, size, write, linear, fault);
}
