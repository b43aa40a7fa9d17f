/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of abi/gate.h: one function for each, in a file for each family. Arguments come from
 * ring 3: each call checks its own.
 */
#pragma once

#include "abi/gate.h"
#include "hypervisor/process/process.h"

/* entry.S: makes one call; for those that run the guest or sleep it does not return. */
int64_t gate_dispatch(uint64_t a, uint64_t b, uint64_t c, struct process *p, uint64_t call);

/* What answers a call, with its arguments in the order of abi/gate.h. */
typedef int64_t gate_function(uint64_t a, uint64_t b, uint64_t c, struct process *p);

/* gate_vm.c: of a monitor, for its VM; gate.c lets nobody else call them. */
gate_function gate_run, gate_start, gate_message, gate_lapic_read, gate_lapic_write, gate_segments,
    gate_state, gate_doorbell, gate_reset, gate_keys, gate_ask;

/* gate_process.c: of any process; the last of one that is no monitor. */
gate_function gate_timer, gate_log, gate_stop, gate_notify, gate_wait;

/* gate_control.c: of a process that may control VMs. */
gate_function gate_control;
