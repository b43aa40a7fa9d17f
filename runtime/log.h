/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for people: to the hypervisor's log, and the last one of a process. */
#pragma once

#include "abi/gate.h"

/* Writes one line, formatted as by format(), to the hypervisor's log. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Ends the process; the line says why: what, where, and what to do about it. */
_Noreturn void log_stop(enum gate_stop why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
