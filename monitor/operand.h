/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operations of decode.def work on: one instruction that is being performed, its operands
 * in registers and in memory. Whatever returns bool has set run->fault when it is false.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/decode.h"
#include "monitor/emulate.h"

struct run {
    struct guest_state *state;
    void *ctx;
    struct emulate_fault *fault;
    const struct instruction *instruction;
    uint64_t linear;            /* of the memory operand, by locate() */
    uint64_t rflags;            /* those after the instruction */
    uint64_t next;              /* where RIP goes on */
    bool unfinished;            /* a REP instruction has iterations left */
    enum emulate_result result; /* if there is no fault; EMULATE_UNSUPPORTED with false */
};

static inline uint64_t truncate(uint64_t value, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return value << shift >> shift;
}

static inline uint64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* Writes a register as the CPU does: 4 bytes clear the upper half, 1 and 2 leave the rest. */
static inline void set_gpr(uint64_t *gpr, uint64_t value, unsigned size, unsigned shift)
{
    if (size == 4) {
        *gpr = (uint32_t)value;
    } else if (size == 8) {
        *gpr = value;
    } else {
        uint64_t mask = truncate(UINT64_MAX, size) << shift;

        *gpr = (*gpr & ~mask) | ((value << shift) & mask);
    }
}

static inline uint64_t register_operand(const struct run *run)
{
    const struct instruction *in = run->instruction;

    return truncate(run->state->gpr[in->reg] >> in->reg_shift, in->size);
}

static inline void set_register_operand(struct run *run, uint64_t value)
{
    const struct instruction *in = run->instruction;

    set_gpr(&run->state->gpr[in->reg], value, in->size, in->reg_shift);
}

static inline void set_accumulator(struct run *run, uint64_t value)
{
    set_gpr(&run->state->gpr[GPR_RAX], value, run->instruction->size, 0);
}

bool read_segment(struct run *run, enum segment segment, uint64_t offset, unsigned size,
                  uint64_t *value);
bool write_segment(struct run *run, enum segment segment, uint64_t offset, unsigned size,
                   uint64_t value);

/* Finds the memory operand; `distance` is added to its offset, in bytes. */
bool locate(struct run *run, uint64_t distance);

/* Reads the located operand. One that is to be written back faults as for a write, and before the
 * device sees a read. */
bool read_operand(struct run *run, uint64_t *value);
bool write_operand(struct run *run, uint64_t value);

/* Likewise for an operand that may be larger than 8 bytes: in words of 8 bytes, of which the device
 * or memory sees one after the other. */
bool read_wide(struct run *run, uint64_t *words);
bool write_wide(struct run *run, const uint64_t *words);

/*
 * With CR4.CET a transfer by CALL, RET or JMP may have a shadow stack to push to or to compare with
 * (SDM volume 1, "Shadow Stacks"), or the branch tracker to set, by registers that are not in the
 * state: false, and it is not emulated.
 */
bool may_transfer(struct run *run);

/* The operations. Each does its memory accesses first and changes registers last, so that a fault
 * leaves the guest as it was. */
#define OPERATION(name, handler) bool run_##handler(struct run *run);
#include "monitor/decode.def"
