/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every program in ring 3 asks of the hypervisor, one leaf function for each call of
 * abi/gate.h, and the few other things that lie outside of its own code. Native tests replace them
 * all. A monitor has calls of its own besides: monitor/gate.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/gate.h"

/* The calls of abi/gate.h, with its arguments and results: negative is an enum gate_error. */
int64_t gate_wait(void); /* not for a monitor */
int64_t gate_timer(uint64_t tsc);
int64_t gate_log(size_t length);
int64_t gate_control(unsigned vm, enum gate_control what, uint64_t argument);
_Noreturn void gate_stop(enum gate_stop why);

/* Notifies a channel's other side with the next gate_wait, or gate_run of a monitor's: who has
 * something for others mostly gives the CPU up soon. Who goes on calls gate_send. */
void gate_notify(unsigned channel);
void gate_send(void);

/* These interrupts, a bit for each, have been handled: said with the next gate_wait. */
void gate_interrupts_done(uint64_t interrupts);

/* The text page, PROCESS_TEXT_SIZE bytes, through which text goes to the calls. */
char *gate_text(void);

/* The process's clock: the time-stamp counter; of a VM whose snapshot was restored it has gone back
 * (process_info.tsc_behind). */
uint64_t gate_tsc(void);
