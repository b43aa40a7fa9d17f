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
int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, struct process *p, uint64_t call);

/* gate_vm.c: of a monitor, for its VM; gate.c lets nobody else call them. */
int64_t gate_run(uint64_t vcpu, uint64_t channels, uint64_t c, struct process *p);
int64_t gate_start(uint64_t vcpu, uint64_t b, uint64_t c, struct process *p);
int64_t gate_message(uint64_t address, uint64_t data, uint64_t c, struct process *p);
int64_t gate_lapic_read(uint64_t vcpu, uint64_t offset, uint64_t c, struct process *p);
int64_t gate_lapic_write(uint64_t vcpu, uint64_t offset, uint64_t value, struct process *p);
int64_t gate_segments(uint64_t vcpu, uint64_t b, uint64_t c, struct process *p);
int64_t gate_state(uint64_t vcpu, uint64_t b, uint64_t c, struct process *p);
int64_t gate_doorbell(uint64_t port, uint64_t bit, uint64_t c, struct process *p);

/* gate_process.c: of any process. */
int64_t gate_timer(uint64_t tsc, uint64_t b, uint64_t c, struct process *p);
int64_t gate_log(uint64_t length, uint64_t b, uint64_t c, struct process *p);
int64_t gate_stop(uint64_t how, uint64_t b, uint64_t c, struct process *p);
int64_t gate_notify(uint64_t channels, uint64_t b, uint64_t c, struct process *p);
int64_t gate_interrupt_done(uint64_t interrupt, uint64_t b, uint64_t c, struct process *p);

/* Of one that is no monitor. */
int64_t gate_wait(uint64_t channels, uint64_t b, uint64_t c, struct process *p);

#endif
