/* SPDX-License-Identifier: BSD-2-Clause */
/* A selector's way into a segment register: its descriptor, with the processor's checks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/operand.h"

/* The byte of a descriptor that has its type, S, DPL and P. */
#define DESCRIPTOR_RIGHTS 5

/*
 * Finds what a segment register, LDTR or TR holds once `selector` is loaded into it, and marks the
 * descriptor as accessed or busy. The register itself stays, and the state has all segments. False:
 * the instruction faults, or run->result says that CS's descriptor is a gate or a task.
 */
bool segment_load(struct run *run, enum segment segment, uint16_t selector,
                  struct segment_state *loaded);

/* What LAR, LSL, VERR and VERW ask of a descriptor. */
enum segment_look { LOOK_ACCESS, LOOK_LIMIT, LOOK_READ, LOOK_WRITE, LOOK_COUNT };

/* Whether they would say yes, and the first 8 bytes of the descriptor. False: the instruction
 * faults; there is no fault for a selector that names nothing. */
bool segment_look(struct run *run, enum segment_look kind, uint16_t selector, uint64_t *descriptor,
                  bool *good);

/* A descriptor's limit, in bytes. */
static inline uint32_t segment_limit(uint64_t descriptor)
{
    uint32_t limit = (uint32_t)((descriptor & 0xffff) | (descriptor >> 32 & 0xf0000));

    return descriptor >> 40 & ACCESS_G ? limit << 12 | 0xfff : limit;
}

/* An exception with the selector as its error code; gives false. */
bool selector_fault(struct run *run, uint8_t vector, uint16_t selector);
