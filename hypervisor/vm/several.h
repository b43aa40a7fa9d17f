/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vCPUs of one VM among each other (R21, R36). Its monitor is sequential code: one of them has
 * it, from an exit of its own to the GATE_RUN that answers this; another one whose exit needs the
 * monitor waits as one does that has halted. A VM with one vCPU calls nothing of it on an exit.
 *
 * INIT takes a vCPU when it is between two instructions and the monitor has heard all that it has
 * to hear of it. Then it is off, which costs nothing: nobody schedules it until a SIPI comes.
 *
 * A vCPU's state is its own CPU's alone. Who is on another CPU changes words on which they agree
 * (agree.h) or puts interrupts down (mail.h), and posts what there is to see to: a bit of
 * thread.mail.
 */
#pragma once

#include "hypervisor/vm/vm.h"

/* v, which runs, gets the monitor. False: another vCPU has it, v waits for it, and is called. */
bool monitor_take(struct vcpu *v);

/* v, whose exit has been answered, has the monitor no more: who waits for it is called. Does not
 * return where an INIT has come for v. */
void monitor_give_up(struct vcpu *v);

/* v has the monitor, at a call that returns 0 to the first vCPU when all others are as after
 * power-up, and off. */
void __attribute__((noreturn)) monitor_reset(struct vcpu *v);

/* EVENT_TIMER for the first vCPU at this TSC; another one has the monitor. */
void monitor_set_timer(struct vm *vm, uint64_t tsc);

/* An interrupt for v, which is at home on another CPU. Whether its local APIC takes it. */
bool vcpu_send_interrupt(struct vcpu *v, uint8_t vector, bool level);

/* A signal of agree.h has been sent to v. The first vCPU's INIT is the monitor's: it starts the
 * machine anew. */
void vcpu_send(struct vcpu *v, uint64_t signal);

/* Whether v rests may have changed: it is off, or has halted and nothing but an NMI wakes it. When
 * all do, the first one's monitor hears of it. received: a signal, which counts until then. */
void vcpu_follow_rest(struct vcpu *v, bool received);

/* None runs any more; on other CPUs, soon. */
void vcpus_stop(struct vm *vm);

/* Other CPUs have posted something for a vCPU. It takes it in its own time: nobody else's is spent
 * on it, nor is its CPU interrupted again before. */
void vcpu_mailed(struct thread *t);
void vcpu_take_mail(struct vcpu *v);
