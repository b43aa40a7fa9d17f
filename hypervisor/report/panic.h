/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of everything: a bug of ours, or a machine that cannot go on. */
#ifndef REPORT_PANIC_H
#define REPORT_PANIC_H

#include <stdint.h>

/* Prints the reason and what those below have to tell, then ends the run. */
void __attribute__((noreturn, format(printf, 1, 2))) panic(const char *fmt, ...);

/* A panic whose first lines somebody else writes: in between. A panic while panicking ends the run
 * with what has been printed. */
void panic_begin(void);
void __attribute__((noreturn)) panic_finish(uint64_t rbp);

/* What a panic prints besides, given RBP where it began: each says what it knows. */
#define PANIC_TELLERS 2
void panic_add(void (*tell)(uint64_t rbp));

/* A verdict on the machine, the plan or a file: not a bug of ours. Prints "stopped: ..." and ends
 * the run. */
void __attribute__((noreturn, format(printf, 1, 2))) stopped(const char *fmt, ...);

/* Ends the run as machine_end_word does: powers the emulator off; without one it halts. */
void __attribute__((noreturn)) machine_end(void);

extern void (*machine_end_word)(void);

/* What must be done before the machine ends: VMXOFF. */
void machine_end_add(void (*before)(void));

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            panic("%s:%d: assertion failed: %s", __FILE_NAME__, __LINE__, #condition);             \
    } while (0)

#endif
