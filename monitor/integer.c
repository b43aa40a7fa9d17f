/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on general registers and memory: moves, arithmetic, exchanges, bits. */
#include "monitor/alu.h"
#include "monitor/native.h"
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

/* The CPU's own instruction: a source of 0 leaves the register to it. */
bool run_scan(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *reg = &run->state->gpr[in->reg], memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    *reg = native_scan(in->operation, *reg, memory, in->size, &run->rflags);
    return true;
}

/* The register has 32 bits even where the operand has fewer, and its upper half becomes 0. */
bool run_checksum(struct run *run)
{
    uint64_t *reg = &run->state->gpr[run->instruction->reg], memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    *reg = native_checksum((uint32_t)*reg, memory, run->instruction->memory_size);
    return true;
}

bool run_shift(struct run *run)
{
    const struct instruction *in = run->instruction;
    bool counted =
        in->operands == OPERANDS_MEMORY_COUNT || in->operands == OPERANDS_MEMORY_REGISTER_COUNT;
    uint8_t count = (uint8_t)(counted ? run->state->gpr[GPR_RCX] : in->immediate);
    uint64_t memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    if (in->operation == OPERATION_SHLD || in->operation == OPERATION_SHRD)
        memory = native_shift_double(in->operation, memory, register_operand(run), count, in->size,
                                     &run->rflags);
    else
        memory = native_shift(in->operation, memory, count, in->size, &run->rflags);
    return write_operand(run, memory);
}

/* The number is that of the instruction's last byte, which is the operation's place in its row. */
static bool condition(const struct run *run, unsigned number)
{
    uint64_t f = run->rflags;
    bool less = !(f & RFLAGS_SF) != !(f & RFLAGS_OF), holds;

    switch (number >> 1) {
    case 0:
        holds = f & RFLAGS_OF;
        break;
    case 1:
        holds = f & RFLAGS_CF;
        break;
    case 2:
        holds = f & RFLAGS_ZF;
        break;
    case 3:
        holds = f & (RFLAGS_CF | RFLAGS_ZF);
        break;
    case 4:
        holds = f & RFLAGS_SF;
        break;
    case 5:
        holds = f & RFLAGS_PF;
        break;
    case 6:
        holds = less;
        break;
    default:
        holds = less || f & RFLAGS_ZF;
        break;
    }
    return holds != (number & 1);
}

/* Reads whatever the condition says; 4 bytes clear the upper half likewise (SDM volume 2,
 * "CMOVcc"). */
bool run_conditional_move(struct run *run)
{
    uint64_t memory;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    if (!condition(run, run->instruction->operation - OPERATION_CMOVO))
        memory = register_operand(run);
    set_register_operand(run, memory);
    return true;
}

bool run_conditional_set(struct run *run)
{
    return locate(run, 0) &&
           write_operand(run, condition(run, run->instruction->operation - OPERATION_SETO));
}

/* XLAT: the table is at RBX, or where a prefix says. */
bool run_translate(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *gpr = run->state->gpr, value;
    uint64_t offset = truncate(gpr[GPR_RBX] + (uint8_t)gpr[GPR_RAX], in->address_size);

    if (!read_segment(run, in->segment, offset, 1, &value))
        return false;
    set_accumulator(run, value);
    return true;
}

/* CLFLUSH and CLWB: no device's memory is in a cache. */
bool run_flush(struct run *run)
{
    return locate(run, 0);
}

/* SMSW: two bytes in memory, whatever the operand size. */
bool run_store_status_word(struct run *run)
{
    return locate(run, 0) && write_operand(run, run->state->cr0);
}
