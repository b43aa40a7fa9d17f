/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of abi/gate.h: one function for each, in a file for each family. Arguments come from
 * ring 3: each call checks its own.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "abi/gate.h"
#include "hypervisor/process/process.h"

/* entry.S: makes one call; for those that run the guest or sleep it does not return. */
int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, uint64_t call, struct process *p);

/* gate_vm.c: of a monitor, for its VM; gate.c lets nobody else call them. */
int64_t gate_run(struct process *p, uint64_t vcpu, uint64_t b, uint64_t c);
int64_t gate_start(struct process *p, uint64_t vcpu, uint64_t b, uint64_t c);
int64_t gate_message(struct process *p, uint64_t address, uint64_t data, uint64_t c);
int64_t gate_lapic_read(struct process *p, uint64_t vcpu, uint64_t offset, uint64_t c);
int64_t gate_lapic_write(struct process *p, uint64_t vcpu, uint64_t offset, uint64_t value);
int64_t gate_segments(struct process *p, uint64_t vcpu, uint64_t b, uint64_t c);
int64_t gate_state(struct process *p, uint64_t vcpu, uint64_t b, uint64_t c);
int64_t gate_doorbell(struct process *p, uint64_t port, uint64_t bit, uint64_t c);
int64_t gate_console_write(struct process *p, uint64_t length, uint64_t b, uint64_t c);
int64_t gate_console_read(struct process *p, uint64_t max, uint64_t b, uint64_t c);

/* gate_process.c: of any process. */
int64_t gate_timer(struct process *p, uint64_t tsc, uint64_t b, uint64_t c);
int64_t gate_log(struct process *p, uint64_t length, uint64_t b, uint64_t c);
int64_t gate_stop(struct process *p, uint64_t how, uint64_t b, uint64_t c);
int64_t gate_notify(struct process *p, uint64_t channel, uint64_t b, uint64_t c);
int64_t gate_interrupt_done(struct process *p, uint64_t interrupt, uint64_t b, uint64_t c);

/* Of one that is no monitor. */
int64_t gate_wait(struct process *p, uint64_t a, uint64_t b, uint64_t c);

#endif
