/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations whose operands are RDX:RAX, or twice as large as the operation. */
#include "monitor/alu.h"
#include "monitor/linear.h"
#include "monitor/operand.h"
#include "monitor/x86.h"

/* RDX:RAX, or AH:AL, which are AX. */
struct pair {
    uint64_t low, high;
};

static struct pair get_pair(const struct run *run)
{
    unsigned size = run->instruction->size;
    const uint64_t *gpr = run->state->gpr;

    return (struct pair){truncate(gpr[GPR_RAX], size),
                         truncate(size == 1 ? gpr[GPR_RAX] >> 8 : gpr[GPR_RDX], size)};
}

static void set_pair(struct run *run, uint64_t low, uint64_t high)
{
    unsigned size = run->instruction->size;
    uint64_t *gpr = run->state->gpr;

    set_gpr(&gpr[GPR_RAX], low, size, 0);
    if (size == 1)
        set_gpr(&gpr[GPR_RAX], high, 1, 8);
    else
        set_gpr(&gpr[GPR_RDX], high, size, 0);
}

/* The flags that MUL and IMUL leave undefined stay. */
static void set_overflow(struct run *run, bool overflow)
{
    run->rflags &= ~(RFLAGS_CF | RFLAGS_OF);
    run->rflags |= overflow ? RFLAGS_CF | RFLAGS_OF : 0;
}

bool run_multiply(struct run *run)
{
    unsigned size = run->instruction->size;
    uint64_t memory, high;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    unsigned __int128 product = (unsigned __int128)get_pair(run).low * memory;

    high = truncate((uint64_t)(product >> size * 8), size);
    set_pair(run, (uint64_t)product, high);
    set_overflow(run, high != 0);
    return true;
}

/* With one operand, two or three: the first factor is the accumulator, the register or the
 * immediate. */
bool run_multiply_signed(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t memory, factor = in->immediate;

    if (!locate(run, 0) || !read_operand(run, &memory))
        return false;
    if (in->operands == OPERANDS_MEMORY)
        factor = get_pair(run).low;
    else if (in->operands == OPERANDS_REGISTER_MEMORY)
        factor = register_operand(run);
    __int128 product =
        (__int128)(int64_t)sign_extend(factor, in->size) * (int64_t)sign_extend(memory, in->size);
    uint64_t low = (uint64_t)product;

    if (in->operands == OPERANDS_MEMORY)
        set_pair(run, low, (uint64_t)(product >> in->size * 8));
    else
        set_register_operand(run, low);
    set_overflow(run, product != (int64_t)sign_extend(low, in->size));
    return true;
}

static bool divide_error(struct run *run)
{
    *run->fault = (struct emulate_fault){.vector = VECTOR_DE};
    return false;
}

/* The quotient fits: `high` is smaller than the divisor. */
static uint64_t divide(struct pair dividend, uint64_t divisor, unsigned size, uint64_t *remainder)
{
    uint64_t low = dividend.low, high = dividend.high;

    if (size < 8) {
        low |= high << size * 8;
        high = 0;
    }
    __asm__("divq %2" : "+a"(low), "+d"(high) : "r"(divisor) : "cc");
    *remainder = high;
    return low;
}

bool run_divide(struct run *run)
{
    unsigned size = run->instruction->size;
    struct pair dividend = get_pair(run);
    uint64_t divisor, quotient, remainder;

    if (!locate(run, 0) || !read_operand(run, &divisor))
        return false;
    if (dividend.high >= divisor)
        return divide_error(run);
    quotient = divide(dividend, divisor, size, &remainder);
    set_pair(run, quotient, remainder);
    return true;
}

static struct pair negate(struct pair value, unsigned size)
{
    uint64_t low = truncate(-value.low, size);

    return (struct pair){low, truncate(~value.high + (low == 0), size)};
}

/* By magnitudes: the remainder has the dividend's sign. */
bool run_divide_signed(struct run *run)
{
    unsigned size = run->instruction->size;
    struct pair dividend = get_pair(run);
    uint64_t sign = 1ULL << (size * 8 - 1), divisor, quotient, remainder;

    if (!locate(run, 0) || !read_operand(run, &divisor))
        return false;
    bool dividend_negative = dividend.high & sign, divisor_negative = divisor & sign;
    bool negative = dividend_negative != divisor_negative;

    if (dividend_negative)
        dividend = negate(dividend, size);
    if (divisor_negative)
        divisor = truncate(-divisor, size);
    if (dividend.high >= divisor)
        return divide_error(run);
    quotient = divide(dividend, divisor, size, &remainder);
    if (quotient > sign - !negative)
        return divide_error(run);
    set_pair(run, negative ? -quotient : quotient, dividend_negative ? -remainder : remainder);
    return true;
}

/* CMPXCHG8B and CMPXCHG16B. Of the flags only ZF changes; the operand is written in any case. */
bool run_compare_exchange_wide(struct run *run)
{
    const struct instruction *in = run->instruction;
    uint64_t *gpr = run->state->gpr;
    struct pair expected = get_pair(run), memory;
    uint64_t words[2];

    if (!locate(run, 0))
        return false;
    if (in->size == 8 && run->linear % 16 != 0) {
        *run->fault = (struct emulate_fault){.vector = VECTOR_GP, .has_error_code = true};
        return false;
    }
    if (!read_wide(run, words))
        return false;
    memory = in->size == 8 ? (struct pair){words[0], words[1]}
                           : (struct pair){truncate(words[0], 4), words[0] >> 32};
    bool equal = memory.low == expected.low && memory.high == expected.high;

    if (equal && in->size == 8)
        words[0] = gpr[GPR_RBX], words[1] = gpr[GPR_RCX];
    else if (equal)
        words[0] = truncate(gpr[GPR_RBX], 4) | gpr[GPR_RCX] << 32;
    if (!write_wide(run, words))
        return false;
    if (!equal)
        set_pair(run, memory.low, memory.high);
    run->rflags = (run->rflags & ~RFLAGS_ZF) | (equal ? RFLAGS_ZF : 0);
    return true;
}

/* The lower bound, and the upper one behind it. */
bool run_bound(struct run *run)
{
    unsigned size = run->instruction->size;
    uint64_t bounds;

    if (!locate(run, 0) || !read_wide(run, &bounds))
        return false;
    int64_t index = (int64_t)sign_extend(register_operand(run), size);

    if (index >= (int64_t)sign_extend(bounds, size) &&
        index <= (int64_t)sign_extend(bounds >> size * 8, size))
        return true;
    *run->fault = (struct emulate_fault){.vector = VECTOR_BR};
    return false;
}

/* MOVDIR64B: the register is an address in ES, of a whole line. */
bool run_move_direct(struct run *run)
{
    uint64_t line[8], to;

    if (!locate(run, 0) || !read_wide(run, line) ||
        !linear_address(run->state, SEG_ES, register_operand(run), sizeof(line), true, &to,
                        run->fault))
        return false;
    if (to % sizeof(line) != 0) {
        *run->fault = (struct emulate_fault){.vector = VECTOR_GP, .has_error_code = true};
        return false;
    }
    run->linear = to;
    return write_wide(run, line);
}
