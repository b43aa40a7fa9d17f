/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a proof (docs/proofs.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CBMC's own. */
void __CPROVER_assume(__CPROVER_bool condition);
void __CPROVER_assert(__CPROVER_bool condition, const char *words);

#define suppose(condition) __CPROVER_assume(condition)
#define prove(condition)   __CPROVER_assert(condition, #condition)

/* Any value. A function that has no body and a name that begins like this returns one. */
bool nondet_bool(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);

/* Where CBMC begins. */
void proof(void);
