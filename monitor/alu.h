/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer arithmetic with the status flags that the CPU would set. */
#pragma once

#include <stdint.h>

#include "monitor/decode.h"

#define RFLAGS_CF (1ULL << 0)
#define RFLAGS_PF (1ULL << 2)
#define RFLAGS_AF (1ULL << 4)
#define RFLAGS_ZF (1ULL << 6)
#define RFLAGS_SF (1ULL << 7)
#define RFLAGS_OF (1ULL << 11)

/*
 * a `operation` b on `size` bytes (SDM volume 1, "Status Flags"; volume 2, each instruction): the
 * arithmetic operations from ADD to NEG, of which those with one operand ignore b. Bits of a, b and
 * the result above the size mean nothing. AF, which AND, OR, XOR and TEST leave undefined, is
 * cleared as processors do.
 */
uint64_t alu(enum operation operation, uint64_t a, uint64_t b, unsigned size, uint64_t *rflags);
