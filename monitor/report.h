/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for people: to the hypervisor's log, and the last one of a VM. */
#pragma once

#include "abi/gate.h"
#include "monitor/console.h"

/* From now on lines come behind what the guest has written there. */
void report_behind(struct console *c);

/* Writes one line, formatted as by format(), to the hypervisor's log. */
void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Ends the VM; the line says why: what, where, and what to do about it. */
_Noreturn void report_stop(enum gate_stop why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
