/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer arithmetic with the status flags that the CPU would set. */
#include "monitor/alu.h"

#include <stdbool.h>

#define STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* Bit n of `carries` is the carry or borrow out of bit n. */
static uint64_t finish(uint64_t result, uint64_t carries, unsigned size, uint64_t *rflags)
{
    unsigned top = size * 8 - 1;
    unsigned nibbles = (result ^ (result >> 4)) & 15;
    uint64_t status = 0;

    status |= (carries >> top) & 1 ? RFLAGS_CF : 0;
    status |= (0x9669 >> nibbles) & 1 ? RFLAGS_PF : 0; /* bit n: n has an even number of ones */
    status |= (carries >> 3) & 1 ? RFLAGS_AF : 0;
    status |= result << (63 - top) == 0 ? RFLAGS_ZF : 0;
    status |= (result >> top) & 1 ? RFLAGS_SF : 0;
    status |= ((carries >> top) ^ (carries >> (top - 1))) & 1 ? RFLAGS_OF : 0;
    *rflags = (*rflags & ~STATUS) | status;
    return result;
}

static uint64_t add(uint64_t a, uint64_t b, bool carry, unsigned size, uint64_t *rflags)
{
    uint64_t result = a + b + carry;

    return finish(result, (a & b) | ((a | b) & ~result), size, rflags);
}

static uint64_t subtract(uint64_t a, uint64_t b, bool borrow, unsigned size, uint64_t *rflags)
{
    uint64_t result = a - b - borrow;

    return finish(result, (~a & b) | ((~a | b) & result), size, rflags);
}

uint64_t alu(enum operation operation, uint64_t a, uint64_t b, unsigned size, uint64_t *rflags)
{
    uint64_t carry = *rflags & RFLAGS_CF;
    uint64_t result;

    switch (operation) {
    case OPERATION_ADD:
        return add(a, b, 0, size, rflags);
    case OPERATION_ADC:
        return add(a, b, carry, size, rflags);
    case OPERATION_SBB:
        return subtract(a, b, carry, size, rflags);
    case OPERATION_AND:
    case OPERATION_TEST:
        return finish(a & b, 0, size, rflags);
    case OPERATION_OR:
        return finish(a | b, 0, size, rflags);
    case OPERATION_XOR:
        return finish(a ^ b, 0, size, rflags);
    case OPERATION_NOT:
        return ~a;
    case OPERATION_NEG:
        return subtract(0, a, 0, size, rflags);
    case OPERATION_INC:
    case OPERATION_DEC:
        result = operation == OPERATION_INC ? add(a, 1, 0, size, rflags)
                                            : subtract(a, 1, 0, size, rflags);
        *rflags = (*rflags & ~RFLAGS_CF) | carry; /* these two leave it alone */
        return result;
    default: /* SUB, and what compares: CMP, CMPXCHG, CMPS, SCAS */
        return subtract(a, b, 0, size, rflags);
    }
}
