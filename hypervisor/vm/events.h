/* SPDX-License-Identifier: BSD-2-Clause */
/* What reaches a vCPU from outside: interrupts, NMIs, time (R39-R42). */
#pragma once

#include "hypervisor/vm/vcpu.h"

/* Does the rare work that v->thread.work names: injection, the monitor's events, the scheduler. May
 * not return. */
void events_work(struct vcpu *v);

/* Handles what has become due, and sets the preemption timer for the next event. */
void events_arm_timer(struct vcpu *v);

/* All that is left before an entry; one test when there is nothing to do. */
static inline void events_before_entry(struct vcpu *v)
{
    if (__builtin_expect(v->thread.work & ~WORK_MARKS, 0))
        events_work(v);
    if (CPU_OF(VCPU_CPU(v), sched).next_event != TIME_NEVER)
        events_arm_timer(v);
}

/* The guest's APIC timer has another deadline, or the TSC has moved; now is the host's TSC. */
void events_deadline_changed(struct vcpu *v, uint64_t now);

/* The deadline of a vCPU's thread has come; now is the host's TSC. */
void events_deadline_due(struct thread *t, uint64_t now);

/* KVM's clock has been set up, or the TSC has moved: the monitor hears of it before the guest goes
 * on. event: EVENT_CLOCK or EVENT_WALL_CLOCK. */
void events_clock(struct vcpu *v, uint64_t event);

/* An exit on this CPU comes when the host's TSC, which is `now`, has reached `due`, or earlier:
 * with the preemption timer, when its patience is at its end. TIME_NEVER: none is wanted. */
void events_set_guest_timer(struct cpu_block *cpu, uint64_t due, uint64_t now);

/* How long its guest runs at most without an exit, in TSC ticks: with an interrupt of the host's
 * that does not come through (docs/emulator.md). With a kick it is less: the monitor gets it when
 * the guest does not halt. */
uint64_t events_patience(const struct vcpu *v);
void events_kicked(struct vcpu *v);

/* For the scheduler: nobody waits for anything; the preemption timer, if a VMCS is there to set it,
 * is out of the way. */
void events_none_due(struct cpu_block *cpu);

/* Delivers an interrupt message to the local APICs of v's VM; whether one accepts it. */
bool events_message(struct vcpu *v, const struct apic_message *message);

/* Does what a write to v's local APIC asked for. */
void events_apic_effect(struct vcpu *v, const struct vlapic_effect *effect);
