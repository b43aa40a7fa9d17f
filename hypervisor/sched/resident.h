/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state that stays in the CPU while its owner does (R11, R31, R32, R34, R35): the syscall MSRs, the vector
 * registers, the debug registers, XCR0. Exits and entries do not touch it.
 */
#ifndef SCHED_RESIDENT_H
#define SCHED_RESIDENT_H

#include <stdint.h>

struct msr_row;
struct vcpu;

/* An MSR in which a guest and ring 3 want different values. */
struct resident_swap {
    uint32_t index;
    uint64_t guest, host;
};
#define RESIDENT_SWAPS_MAX 4

/* How often a value had to be moved, and how often it was right already. */
struct resident_counters {
    uint64_t writes, reads, skipped;
};

/* Sets the host's values, once for each CPU. */
void resident_init(void);

/* Before an entry: all that the CPU holds is v's. */
void resident_to_guest(struct vcpu *v);

/* Before ring 3: the host's syscall MSRs, and nothing of a VM but v's own that the monitor could read. */
void resident_to_monitor(struct vcpu *v);

/* The guest that runs wrote a resident MSR: the value is in v->msrs, and goes into the CPU. */
void resident_written(struct vcpu *v, const struct msr_row *row);

/* v's state is set anew from v (after a reset); what the CPU holds of it is forgotten. */
void resident_forget(struct vcpu *v);

#endif
