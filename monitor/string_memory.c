/* SPDX-License-Identifier: BSD-2-Clause */
/* MOVS, CMPS, STOS, LODS and SCAS. */
#include "monitor/alu.h"
#include "monitor/breakpoint.h"
#include "monitor/operand.h"
#include "monitor/x86.h"

/* Iterations of a REP instruction in one call: what an interrupt waits for at most. */
#define REPEAT_BATCH 64

/* One iteration of a string instruction: MOVS, CMPS, STOS, LODS or SCAS. */
static bool run_string_once(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *gpr = run->state->gpr;
    bool accumulator = in->operation == OPERATION_STOS || in->operation == OPERATION_SCAS;
    bool compares = in->operation == OPERATION_CMPS || in->operation == OPERATION_SCAS;
    uint64_t source_at = truncate(gpr[GPR_RSI], in->address_size);
    uint64_t target_at = truncate(gpr[GPR_RDI], in->address_size);
    uint64_t step = (run->rflags & RFLAGS_DF) ? -(uint64_t)in->size : in->size;
    uint64_t source = truncate(gpr[GPR_RAX], in->size), target;

    if (!accumulator && !read_segment(run, in->segment, source_at, in->size, &source))
        return false;
    if (in->operation == OPERATION_LODS)
        set_accumulator(run, source);
    else if (!compares && !write_segment(run, SEG_ES, target_at, in->size, source))
        return false;
    if (compares) {
        if (!read_segment(run, SEG_ES, target_at, in->size, &target))
            return false;
        alu(OPERATION_CMP, source, target, in->size, &run->rflags);
    }
    if (!accumulator)
        set_gpr(&gpr[GPR_RSI], source_at + step, in->address_size, 0);
    if (in->operation != OPERATION_LODS)
        set_gpr(&gpr[GPR_RDI], target_at + step, in->address_size, 0);
    return true;
}

/* Whether a comparison ends the repetition: REPE at a difference, REPNE at equality. */
static bool string_decided(const struct run *run)
{
    const struct instruction *in = run->instruction;
    bool equal = run->rflags & RFLAGS_ZF;

    if (in->operation != OPERATION_CMPS && in->operation != OPERATION_SCAS)
        return false;
    return equal == (in->repeat == REPEAT_NOT_EQUAL);
}

bool run_string(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *rcx = &run->state->gpr[GPR_RCX];
    unsigned batch = traps_between(run->state) ? 1 : REPEAT_BATCH;

    if (in->repeat == REPEAT_NONE)
        return run_string_once(run);
    for (unsigned i = 0; i < batch; i++) {
        uint64_t count = truncate(*rcx, in->address_size);

        if (count == 0)
            return true;
        if (!run_string_once(run))
            return false;
        set_gpr(rcx, count - 1, in->address_size, 0);
        if (string_decided(run))
            return true;
    }
    run->unfinished = truncate(*rcx, in->address_size) != 0;
    return true;
}
