/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger at a vCPU: where it stops. Only while one is there (vcpu.debug.on) do #BP and MOV DR
 * exit; nothing else looks at it. What an exit means the debugger knows, in ring 3.
 */
#pragma once

#include "hypervisor/vm/vcpu.h"

/* For GATE_CONTROL_DEBUG, with bits of enum gate_debug; its VMCS is current. 0, or GATE_ESTATE. */
int64_t debug_command(struct vcpu *v, uint32_t command);

/* It is to stand before its next entry; its VMCS is current. */
void debug_stop(struct vcpu *v, enum gate_stop_why why);

/* Before an entry with WORK_DEBUG among its work. May not return; or returns what of the work is to
 * be done: while the debugger steps, interrupts wait. */
uint32_t debug_before_entry(struct vcpu *v, uint32_t work);

/* An exit that the debugger is asked about: returns if it has been, and it is the guest's after all
 * (GATE_DEBUG_REFLECT). */
void debug_exit(struct vcpu *v);
