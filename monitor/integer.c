/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on general registers and memory: moves, arithmetic, exchanges, bits. */
#include "monitor/alu.h"
#include "monitor/operand.h"

bool run_move(struct run *run)
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

bool run_move_signed(struct run *run)
{
    uint64_t value;

    if (!locate(run, 0) || !read_operand(run, &value))
        return false;
    set_register_operand(run, sign_extend(value, run->instruction->memory_size));
    return true;
}

bool run_move_swapped(struct run *run)
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

bool run_arithmetic(struct run *run)
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

bool run_exchange(struct run *run)
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
bool run_compare_exchange(struct run *run)
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
bool run_bit(struct run *run)
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
