/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest instruction performed in software: how a device's memory is reached.
 *
 * In scope are the forms of decode.def: what compilers, Linux and firmware use on device memory,
 * and more. The rest is EMULATE_UNSUPPORTED: docs/device-memory.md says which.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/decode.h"

/* An exception that the guest is to get, instead of the instruction's effect. */
struct emulate_fault {
    uint8_t vector;
    bool has_error_code;
    uint32_t error_code;
    uint64_t cr2; /* #PF only */
};

/*
 * The guest's memory and devices by guest-linear address: the caller's side of emulate(), with the
 * ctx that it got. An access may be unaligned and may cross a page. emulate_read and emulate_write
 * move 1, 2, 4 or 8 bytes, the low ones of the value; on false nothing was written and *fault says
 * which exception the guest gets. emulate_writable says whether a write would fault, without one;
 * emulate_modifiable likewise, before a read that a write follows; its fault is REPLY_NO_VECTOR
 * where no such instruction is to be emulated. emulate_fetch gives how many instruction bytes there
 * are before a page that cannot be read, up to all 15. emulate_segments fills in what 64-bit mode
 * leaves out of the state (abi/exit.h).
 */
size_t emulate_fetch(void *ctx, uint64_t linear, uint8_t bytes[DECODE_MAX_LENGTH]);
bool emulate_read(void *ctx, uint64_t linear, unsigned size, uint64_t *value,
                  struct emulate_fault *fault);
bool emulate_write(void *ctx, uint64_t linear, unsigned size, uint64_t value,
                   struct emulate_fault *fault);
bool emulate_writable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault);
bool emulate_modifiable(void *ctx, uint64_t linear, unsigned size, struct emulate_fault *fault);
void emulate_segments(void *ctx);

enum emulate_result {
    EMULATE_DONE,          /* gpr, rip and rflags are those after the instruction */
    EMULATE_SEGMENTS,      /* likewise, and the segments and descriptor tables */
    EMULATE_STACK_SEGMENT, /* likewise; events are blocked for one instruction */
    /* *fault is to be injected at the same RIP; gpr changed only by finished iterations of REP */
    EMULATE_FAULT,
    EMULATE_UNSUPPORTED, /* not in scope; nothing has changed */
    EMULATE_UNREADABLE,  /* its bytes cannot be read; nothing has changed */
};

/*
 * Performs the instruction at CS:RIP, in the mode that EFER.LMA, CS.L and CS.D say. A string
 * instruction with REP may stop early with EMULATE_DONE and RIP unchanged, so that interrupts come
 * in between: the guest goes on by itself.
 */
enum emulate_result emulate(struct guest_state *state, void *ctx, struct emulate_fault *fault);
