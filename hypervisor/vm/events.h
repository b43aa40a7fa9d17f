/* SPDX-License-Identifier: BSD-2-Clause */
/* What reaches a vCPU from outside: interrupts, NMIs, time (R39-R42). */
#ifndef VM_EVENTS_H
#define VM_EVENTS_H

#include "hypervisor/vm/vcpu.h"
#include "lib/bits.h"

/* Does the rare work that v->work names: injection, the monitor's events, the scheduler. May not
 * return. */
void events_work(struct vcpu *v);

/* Handles what has become due, and sets the preemption timer for the next event. */
void events_arm_timer(struct vcpu *v);

/* All that is left before an entry; one test when there is nothing to do. */
static inline void events_before_entry(struct vcpu *v)
{
    if (__builtin_expect(v->work != 0, 0))
        events_work(v);
    if (VCPU_CPU(v)->next_event != TIME_NEVER)
        events_arm_timer(v);
}

/* The local APIC's state has changed: look at it before the next entry; a halted vCPU wakes. */
void events_interrupt(struct vcpu *v);

/* Something for the monitor: EXIT_EVENT_*. */
void events_monitor(struct vcpu *v, uint32_t events);

/* The guest's APIC timer has another deadline, or the TSC has moved; now is the host's TSC. */
void events_deadline_changed(struct vcpu *v, uint64_t now);

/* Every vCPU whose timer is due by now gets what it waited for. */
void events_expire(uint64_t now);

/* Delivers an interrupt message to the local APICs of v's VM; whether one accepts it. */
bool events_message(struct vcpu *v, const struct apic_message *message);

/* Does what a write to v's local APIC asked for. */
void events_apic_effect(struct vcpu *v, const struct vlapic_effect *effect);

#endif
