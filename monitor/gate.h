/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the monitor asks of the hypervisor beside what every program does (runtime/gate.h), one leaf
 * function for each call of abi/gate.h. Native tests replace them all.
 */
#pragma once

#include <stdint.h>

#include "abi/cpuid.h"
#include "abi/exit.h"
#include "abi/gate.h"
#include "abi/process.h"
#include "runtime/gate.h"

/* The calls of abi/gate.h, with its arguments and results: negative is an enum gate_error. */
int64_t gate_run(void);
int64_t gate_start(void);
int64_t gate_reset(void);
int64_t gate_segments(void);
int64_t gate_state(void);
uint64_t gate_keys(void);
int64_t gate_ask(void);
int64_t gate_message(uint64_t address, uint32_t data);
int64_t gate_lapic_read(uint32_t offset);
int64_t gate_lapic_write(uint32_t offset, uint32_t value);
int64_t gate_doorbell(uint16_t port, unsigned bit);

/* A message that goes with the next gate_run, or one more: whether a local APIC accepts it is not
 * told. */
void gate_post_message(uint64_t address, uint32_t data);

/* What CPUID tells the guest from the next gate_start on. */
struct cpuid_table *gate_cpuid(void);

/* What the plan has given to this monitor beside its VM; and the pages of its channel n. */
const struct process_info *gate_process(void);
void *gate_channel(unsigned n);

/* Returns when the time-stamp counter, which is also the guest's time base, has reached `tsc`. The
 * time is this VM's own: other VMs take their turns. */
void gate_spin(uint64_t tsc);
