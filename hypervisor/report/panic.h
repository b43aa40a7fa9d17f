/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of everything: a bug of ours, or a machine that cannot go on. */
#ifndef REPORT_PANIC_H
#define REPORT_PANIC_H

#include <stdint.h>

#include "hypervisor/cpu/trap.h"

/* Prints the reason, registers, a backtrace with symbols and the current VMCS in words, then ends
 * the run. */
void __attribute__((noreturn, format(printf, 1, 2))) panic(const char *fmt, ...);
void __attribute__((noreturn)) panic_trap(const struct trap_frame *frame);

/* A verdict on the machine, the plan or a file: not a bug of ours. Prints "stopped: ..." and ends
 * the run. */
void __attribute__((noreturn, format(printf, 1, 2))) stopped(const char *fmt, ...);

/* Ends the run as the option end= says: powers the emulator off, or halts. */
void __attribute__((noreturn)) machine_end(void);

/* Where the names of the functions are, mapped; without it addresses are printed bare. */
void symbols_init(const void *symbols, uint64_t symbols_size, const char *strings,
                  uint64_t strings_size);

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            panic("%s:%d: assertion failed: %s", __FILE_NAME__, __LINE__, #condition);             \
    } while (0)

#endif
