/* SPDX-License-Identifier: BSD-2-Clause */
/* What a panic tells of the CPU: where it was, and how it came there. Addresses are bare; `lintel
 * run` names them. */
#ifndef CPU_BACKTRACE_H
#define CPU_BACKTRACE_H

#include "hypervisor/cpu/trap.h"

/* For panic_add: follows the frame pointers, as long as they stay on this CPU's stacks. */
void backtrace_tell(uint64_t rbp);

/* A panic for an exception of ring 0. */
void __attribute__((noreturn)) panic_trap(const struct trap_frame *frame);

#endif
