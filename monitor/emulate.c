/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest instruction performed in software. Each handler does its memory accesses first and
 * changes registers last, so that a fault leaves the guest as it was.
 *
 * An instruction that reads and writes its operand is not atomic for other CPUs, LOCK or not: a
 * device has one owner, its monitor.
 */
#include "monitor/emulate.h"

#include "monitor/alu.h"
#include "monitor/decode_cache.h"
#include "monitor/linear.h"
#include "monitor/x86.h"

/* Iterations of a REP instruction in one call: what an interrupt waits for at most. */
#define REPEAT_BATCH 64

struct run {
    struct guest_state *state;
    void *ctx;
    struct emulate_fault *fault;
    const struct instruction *instruction;
    uint64_t linear; /* of the memory operand, by locate() */
    uint64_t rflags; /* those after the instruction */
    bool unfinished; /* a REP instruction has iterations left */
};

static uint64_t truncate(uint64_t value, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return value << shift >> shift;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* Writes a register as the CPU does: 4 bytes clear the upper half, 1 and 2 leave the rest. */
static void set_gpr(uint64_t *gpr, uint64_t value, unsigned size, unsigned shift)
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

static uint64_t register_operand(const struct run *run)
{
    const struct instruction *in = run->instruction;

    return truncate(run->state->gpr[in->reg] >> in->reg_shift, in->size);
}

static void set_register_operand(struct run *run, uint64_t value)
{
    const struct instruction *in = run->instruction;

    set_gpr(&run->state->gpr[in->reg], value, in->size, in->reg_shift);
}

static void set_accumulator(struct run *run, uint64_t value)
{
    set_gpr(&run->state->gpr[GPR_RAX], value, run->instruction->size, 0);
}

static bool read_segment(struct run *run, enum segment segment, uint64_t offset, unsigned size,
                         uint64_t *value)
{
    uint64_t linear;

    return linear_address(run->state, segment, offset, size, false, &linear, run->fault) &&
           emulate_read(run->ctx, linear, size, value, run->fault);
}

static bool write_segment(struct run *run, enum segment segment, uint64_t offset, unsigned size,
                          uint64_t value)
{
    uint64_t linear;

    return linear_address(run->state, segment, offset, size, true, &linear, run->fault) &&
           emulate_write(run->ctx, linear, size, value, run->fault);
}

/* Finds the memory operand; `distance` is added to its offset, in bytes. */
static bool locate(struct run *run, uint64_t distance)
{
    const struct instruction *in = run->instruction;
    const uint64_t *gpr = run->state->gpr;
    uint64_t offset = in->displacement + distance;

    if (in->base < BASE_RIP)
        offset += gpr[in->base];
    else if (in->base == BASE_RIP)
        offset += run->state->rip + in->length;
    if (in->index != BASE_NONE)
        offset += gpr[in->index] << in->scale;
    if (in->address_size != 8)
        offset = truncate(offset, in->address_size);
    return linear_address(run->state, in->segment, offset, in->memory_size,
                          in->access != ACCESS_READ, &run->linear, run->fault);
}

/* Reads the located operand. One that is to be written back faults as for a write. */
static bool read_operand(struct run *run, uint64_t *value)
{
    const struct instruction *in = run->instruction;

    if (emulate_read(run->ctx, run->linear, in->memory_size, value, run->fault))
        return true;
    if (in->access == ACCESS_MODIFY && run->fault->vector == VECTOR_PF)
        run->fault->error_code |= PF_WRITE;
    return false;
}

static bool write_operand(struct run *run, uint64_t value)
{
    return emulate_write(run->ctx, run->linear, run->instruction->memory_size, value, run->fault);
}

static bool run_move(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t value;

    if (!locate(run, 0))
        return false;
    if (in->operands == OPERANDS_MEMORY_IMMEDIATE)
        return write_operand(run, in->immediate);
    if (in->operands == OPERANDS_MEMORY_REGISTER)
        return write_operand(run, register_operand(run));
    if (!read_operand(run, &value))
        return false;
    set_register_operand(run, value);
    return true;
}

static bool run_move_signed(struct run *run)
{
    uint64_t value;

    if (!locate(run, 0) || !read_operand(run, &value))
        return false;
    set_register_operand(run, sign_extend(value, run->instruction->memory_size));
    return true;
}

static bool run_move_swapped(struct run *run)
{
    const struct instruction *in = run->instruction;
    unsigned shift = 64 - in->size * 8;
    uint64_t value;

    if (!locate(run, 0))
        return false;
    if (in->operands == OPERANDS_MEMORY_REGISTER)
        return write_operand(run, __builtin_bswap64(register_operand(run)) >> shift);
    if (!read_operand(run, &value))
        return false;
    set_register_operand(run, __builtin_bswap64(value) >> shift);
    return true;
}

static bool run_arithmetic(struct run *run)
{
    const struct instruction *in = run->instruction;
    bool to_register = in->operands == OPERANDS_REGISTER_MEMORY;
    uint64_t memory, result;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    if (to_register)
        result = alu(in->operation, register_operand(run), memory, in->size, &run->rflags);
    else if (in->operands == OPERANDS_MEMORY_REGISTER)
        result = alu(in->operation, memory, register_operand(run), in->size, &run->rflags);
    else
        result = alu(in->operation, memory, in->immediate, in->size, &run->rflags);
    if (in->operation == OPERATION_CMP || in->operation == OPERATION_TEST)
        return true;
    if (!to_register)
        return write_operand(run, result);
    set_register_operand(run, result);
    return true;
}

static bool run_exchange(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t memory, result = register_operand(run);

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    if (in->operation == OPERATION_XADD)
        result = alu(OPERATION_ADD, memory, result, in->size, &run->rflags);
    if (!write_operand(run, result))
        return false;
    set_register_operand(run, memory);
    return true;
}

/* The operand is written whatever the comparison says (SDM volume 2, "CMPXCHG"). */
static bool run_compare_exchange(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t accumulator = truncate(run->state->gpr[GPR_RAX], in->size);
    uint64_t memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    alu(OPERATION_CMP, accumulator, memory, in->size, &run->rflags);
    if (memory == accumulator)
        return write_operand(run, register_operand(run));
    if (!write_operand(run, memory))
        return false;
    set_accumulator(run, memory);
    return true;
}

/* A bit number in a register reaches beyond the operand (SDM volume 2, "BT"); an immediate one
 * wraps. */
static bool run_bit(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t number = in->immediate, distance = 0, memory, bit;

    if (in->operands == OPERANDS_MEMORY_REGISTER) {
        number = sign_extend(register_operand(run), in->size);
        distance = (uint64_t)((int64_t)number >> 3) & -(uint64_t)in->size;
    }
    if (!locate(run, distance) || !read_operand(run, &memory))
        return false;
    bit = 1ULL << (number & (in->size * 8 - 1));
    run->rflags &= ~RFLAGS_CF;
    run->rflags |= (memory & bit) ? RFLAGS_CF : 0;
    switch (in->operation) {
    case OPERATION_BTS:
        return write_operand(run, memory | bit);
    case OPERATION_BTR:
        return write_operand(run, memory & ~bit);
    case OPERATION_BTC:
        return write_operand(run, memory ^ bit);
    default:
        return true;
    }
}

static bool run_push(struct run *run)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t value, top = truncate(*rsp - size, width);

    if (!locate(run, 0) || !read_operand(run, &value) ||
        !write_segment(run, SEG_SS, top, size, value))
        return false;
    set_gpr(rsp, top, width, 0);
    return true;
}

/* An address that uses RSP uses the one after the increment (SDM volume 2, "POP"). */
static bool run_pop(struct run *run)
{
    unsigned size = run->instruction->size, width = stack_size(run->state);
    uint64_t *rsp = &run->state->gpr[GPR_RSP];
    uint64_t value, before = *rsp;

    if (!read_segment(run, SEG_SS, truncate(before, width), size, &value))
        return false;
    set_gpr(rsp, before + size, width, 0);
    if (locate(run, 0) && write_operand(run, value))
        return true;
    *rsp = before;
    return false;
}

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

static bool run_string(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *rcx = &run->state->gpr[GPR_RCX];

    if (in->repeat == REPEAT_NONE)
        return run_string_once(run);
    for (unsigned i = 0; i < REPEAT_BATCH; i++) {
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

static bool (*const handlers[OPERATION_COUNT])(struct run *run) = {
#define OPERATION(name, handler) [OPERATION_##name] = run_##handler,
#include "monitor/decode.def"
};

/* RF is set between iterations and cleared behind an instruction (SDM volume 3,
 * "Instruction-Breakpoint Exception Condition"). */
static void retire(struct run *run, enum decode_mode mode)
{
    uint64_t next = run->state->rip + run->instruction->length;

    if (run->unfinished) {
        run->state->rflags = run->rflags | RFLAGS_RF;
        return;
    }
    run->state->rflags = run->rflags & ~(uint64_t)RFLAGS_RF;
    run->state->rip = mode == DECODE_64 ? next : (uint32_t)next;
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
        return EMULATE_UNSUPPORTED;
    decoded = decode_cached(mode, bytes, count, &run.instruction);
    if (decoded != DECODE_DONE)
        return refuse(decoded, fault);
    if (!handlers[run.instruction->operation](&run))
        return EMULATE_FAULT;
    retire(&run, mode);
    return EMULATE_DONE;
}
