/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation in software: from segment and offset to a linear address, with the CPU's checks. */
#ifndef MONITOR_LINEAR_H
#define MONITOR_LINEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/decode.h"
#include "monitor/emulate.h"

/* The mode that the code at CS:RIP runs in. Real mode is DECODE_16, unless CS.D says otherwise. */
enum decode_mode code_mode(const struct guest_state *state);

/* The size of stack pointer, in bytes, that PUSH and POP use. */
unsigned stack_size(const struct guest_state *state);

/* Where the instruction at CS:RIP lies. The CPU has fetched it: nothing is checked. */
uint64_t code_address(const struct guest_state *state);

/*
 * The linear address of `size` bytes at segment:offset, for a read or a write. False: *fault is
 * #GP(0) or #SS(0) (SDM volume 3, "Limit Checking", "Type Checking"; volume 1, "Canonical
 * Addressing").
 */
bool linear_address(const struct guest_state *state, enum segment segment, uint64_t offset,
                    unsigned size, bool write, uint64_t *linear, struct emulate_fault *fault);

#endif
