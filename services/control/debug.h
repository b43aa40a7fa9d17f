/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger has put into VMs, so that it can be taken out without it: INT3 in place of bytes
 * of memory, and its breakpoints in the debug registers. The guest goes on to have its own debug
 * registers: MOV to and from them is answered here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/exit.h"
#include "abi/gate.h"

void debug_init(void);

/* Has the gate do what the argument of CONTROL_CALL_DEBUG says, and *is say what then is. 0 or an
 * enum gate_error. */
int64_t debug_command(unsigned vm, uint64_t argument, struct gate_stopped *is);

/* Changes 32 bits, from `offset` on, of the struct guest_state of a vCPU that stands. 0 or an enum
 * gate_error: what cannot be entered is as it was. */
int64_t debug_set(unsigned vm, unsigned vcpu, size_t offset, uint32_t value);

/* An INT3 at a guest-physical address, or what was there; *byte is that. 0 or an enum
 * gate_error. */
int64_t debug_patch(unsigned vm, uint64_t gpa, bool on, uint8_t *byte);

/* The debug registers in a vCPU's state become the guest's own. */
void debug_hide(unsigned vm, unsigned vcpu, struct guest_state *state);
