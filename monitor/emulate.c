/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest instruction performed in software: fetched, decoded, run by its operation, retired.
 *
 * An instruction that reads and writes its operand is not atomic for other CPUs, LOCK or not: a
 * device has one owner, its monitor.
 */
#include "monitor/emulate.h"

#include "monitor/decode_cache.h"
#include "monitor/linear.h"
#include "monitor/operand.h"
#include "monitor/x86.h"

static bool (*const handlers[OPERATION_COUNT])(struct run *run) = {
#define OPERATION(name, handler) [OPERATION_##name] = run_##handler,
#include "monitor/decode.def"
};

/* RF is set between iterations and cleared behind an instruction (SDM volume 3,
 * "Instruction-Breakpoint Exception Condition"). */
static void retire(struct run *run, enum decode_mode mode)
{
    if (run->unfinished) {
        run->state->rflags = run->rflags | RFLAGS_RF;
        return;
    }
    run->state->rflags = run->rflags & ~(uint64_t)RFLAGS_RF;
    run->state->rip = mode == DECODE_64 ? run->next : (uint32_t)run->next;
}

/* What becomes of an instruction that the decoder does not take. */
static enum emulate_result refuse(enum decode_result result, struct emulate_fault *fault)
{
    switch (result) {
    case DECODE_TOO_LONG:
        *fault = (struct emulate_fault){.vector = VECTOR_GP, .has_error_code = true};
        return EMULATE_FAULT;
    case DECODE_INVALID_LOCK:
        *fault = (struct emulate_fault){.vector = VECTOR_UD};
        return EMULATE_FAULT;
    case DECODE_INCOMPLETE:
        return EMULATE_UNREADABLE;
    default:
        return EMULATE_UNSUPPORTED;
    }
}

enum emulate_result emulate(struct guest_state *state, void *ctx, struct emulate_fault *fault)
{
    uint8_t bytes[DECODE_BUFFER] = {0};
    enum decode_mode mode = code_mode(state);
    enum decode_result decoded;
    struct run run = {.state = state, .ctx = ctx, .fault = fault, .rflags = state->rflags};
    size_t count = emulate_fetch(ctx, code_address(state), bytes);

    if (count == 0)
        return EMULATE_UNREADABLE;
    decoded = decode_cached(mode, bytes, count, &run.instruction);
    if (decoded != DECODE_DONE)
        return refuse(decoded, fault);
    run.next = state->rip + run.instruction->length;
    if (!handlers[run.instruction->operation](&run))
        return run.result == EMULATE_UNSUPPORTED ? EMULATE_UNSUPPORTED : EMULATE_FAULT;
    retire(&run, mode);
    return run.result;
}
