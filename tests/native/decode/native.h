/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction performed by the CPU that runs the test, between a load and a save of all
 * registers. */
#pragma once

#include <stdint.h>

#define NATIVE_SLOT 32   /* bytes for the instruction; NOPs behind it */
#define NATIVE_DATA 4096 /* bytes for its operands */

struct native_state {
    uint64_t gpr[16];
    uint64_t rflags;
    uint64_t vector[16][4]; /* the upper halves only where the CPU has AVX */
    uint64_t mmx[8];
};

/* Its address is always the same and fits 31 bits, so that every addressing form reaches `data`. GS
 * has the base NATIVE_GS_BASE. */
struct native {
    uint8_t code[4096];
    struct native_state before, after;
    uint64_t host_rsp;
    uint8_t *slot; /* in code */
    uint8_t data[NATIVE_DATA] __attribute__((aligned(4096)));
};

#define NATIVE_GS_BASE 0x5670

struct native *native_create(void);
void native_destroy(struct native *native);

/* Performs what is in the slot: `before` and `data` to `after` and `data`. */
void native_run(struct native *native);
