/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of everything: a bug of ours, or a machine that cannot go on. */
#pragma once

#include <stdint.h>

#include "hypervisor/report/log.h"

/* Prints the reason and what those below have to tell, then ends the run. */
#define panic(...) (panic_begin(), log_line("panic: " __VA_ARGS__), panic_finish_here())

/* A panic, with its first lines in between, which began with this RBP, or where this is called. A
 * panic while panicking ends the run with what has been printed. */
void panic_begin(void);
void __attribute__((noreturn)) panic_finish(uint64_t rbp);
void __attribute__((noreturn, cold, noinline)) panic_finish_here(void);

/* What a panic prints besides, in this order, given RBP where it began; NULL: nothing. Set once. */
enum panic_teller { PANIC_CALLS, PANIC_VMCS, PANIC_TRACE, PANIC_TELLERS };
extern void (*panic_tell[PANIC_TELLERS])(uint64_t rbp);

/* A verdict on the machine, the plan or a file: not a bug of ours. Ends the run. */
#define stopped(...) (log_line("stopped: " __VA_ARGS__), machine_end())

/* Ends the run: by machine_end_port, if that is something, which ends an emulator; or it halts. */
void __attribute__((noreturn)) machine_end(void);

extern uint32_t machine_end_port;

/* This CPU does nothing any more. */
void __attribute__((noreturn)) machine_hang(void);

/* Before the machine ends: the others stop, unless another CPU ends it already, when this does not
 * return; and what each CPU does before it stops: VMXOFF. */
extern void (*machine_stop_others)(void);
extern void (*machine_leave)(void);

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            panic("%s:%d: assertion failed: %s", __FILE_NAME__, __LINE__, #condition);             \
    } while (0)
