/* SPDX-License-Identifier: BSD-2-Clause */
/* A selector's way into a segment register: its descriptor, with the processor's checks. */
#ifndef MONITOR_SEGMENT_LOAD_H
#define MONITOR_SEGMENT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/operand.h"

/*
 * Finds what a segment register, LDTR or TR holds once `selector` is loaded into it, and marks the
 * descriptor as accessed or busy. The register itself stays, and the state has all segments. False:
 * the instruction faults, or run->result says that CS's descriptor is a gate or a task.
 */
bool segment_load(struct run *run, enum segment segment, uint16_t selector,
                  struct segment_state *loaded);

/* An exception with the selector as its error code; gives false. */
bool selector_fault(struct run *run, uint8_t vector, uint16_t selector);

#endif
