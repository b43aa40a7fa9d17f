/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the monitor asks of the hypervisor, one leaf function for each call of abi/gate.h, and the
 * few other things that lie outside of its own code: the pages it shares with the hypervisor, and
 * the time. Native tests replace them all.
 */
#ifndef MONITOR_GATE_H
#define MONITOR_GATE_H

#include <stdint.h>

#include "abi/exit.h"
#include "abi/gate.h"

/* The calls of abi/gate.h, with its arguments and results: negative is an enum gate_error. */
int64_t gate_run(unsigned vcpu);
int64_t gate_start(unsigned vcpu);
int64_t gate_segments(unsigned vcpu);
int64_t gate_message(uint64_t address, uint32_t data);
int64_t gate_lapic_read(unsigned vcpu, uint32_t offset);
int64_t gate_lapic_write(unsigned vcpu, uint32_t offset, uint32_t value);
int64_t gate_timer(uint64_t tsc);
int64_t gate_console_write(uint64_t length);
int64_t gate_console_read(uint64_t max);
int64_t gate_log(uint64_t length);
_Noreturn void gate_stop(enum gate_stop why);

/* The text page, MONITOR_TEXT_SIZE bytes, through which text goes to and from the calls. */
char *gate_text(void);

/* The time-stamp counter, which is also the guest's time base. */
uint64_t gate_tsc(void);

/* Returns when that has reached `tsc`. The time is this VM's own: other VMs take their turns. */
void gate_wait(uint64_t tsc);

#endif
