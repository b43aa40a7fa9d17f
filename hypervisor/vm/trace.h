/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace (abi/trace.h). Who is not traced has no instruction of it: tracing puts other functions
 * in the place of those that are called by a pointer anyway, and a bit into a word that is tested
 * anyway.
 */
#pragma once

#include "abi/trace.h"
#include "hypervisor/vm/vm.h"

/* A ring for each CPU that is used; p may read them. At boot, once. */
void trace_create(struct process *p);

/* From now on the turns of t are told, as those of `who` (TRACE_WHO), or not any more. */
void trace_thread(struct thread *t, uint32_t who, bool on);

/* So are the exits and entries of v, too, which does not run, and is at home on this CPU. */
void trace_vcpu(struct vcpu *v, bool on);

/* v, which is traced, is about to run its monitor. */
void trace_monitor(const struct vcpu *v);

/* switch.S: in the place of exit_dispatch. */
struct vcpu *trace_dispatch(struct vcpu *v);
