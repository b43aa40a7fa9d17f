/* SPDX-License-Identifier: BSD-2-Clause */
/* What a panic tells of the CPU: where it was, and how it came there. */
#ifndef CPU_BACKTRACE_H
#define CPU_BACKTRACE_H

#include "hypervisor/cpu/trap.h"

/* Where the names of the functions are, mapped; without it addresses are printed bare. */
void symbols_init(const void *symbols, uint64_t symbols_size, const char *strings,
                  uint64_t strings_size);

/* For panic_add: follows the frame pointers, as long as they stay on this CPU's stacks. */
void backtrace_tell(uint64_t rbp);

/* A panic for an exception of ring 0. */
void __attribute__((noreturn)) panic_trap(const struct trap_frame *frame);

#endif
