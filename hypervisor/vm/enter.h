/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's thread: into its guest, and into its monitor. */
#pragma once

#include "hypervisor/vm/vcpu.h"

/* How the scheduler runs a vCPU. */
extern const struct thread_kind vcpu_thread;

#define VCPU_OF(t) THREAD_IN(struct vcpu, thread, t)

/* Enters the guest of the vCPU that runs, with its VMCS loaded, after its monitor or the scheduler;
 * not from an exit. */
void __attribute__((noreturn)) vcpu_enter(struct vcpu *v);

/*
 * Hands the exit to the monitor: its GATE_RUN returns. exit_kind and what belongs to it are in the
 * exit page.
 */
void __attribute__((noreturn)) exit_to_monitor(struct vcpu *v, enum exit_kind kind);

/* The same for WORK_EVENTS. */
void __attribute__((noreturn)) exit_with_events(struct vcpu *v);

/* The guest cannot go on. */
void __attribute__((noreturn)) exit_shutdown(struct vcpu *v, enum exit_shutdown reason,
                                             uint32_t detail);
