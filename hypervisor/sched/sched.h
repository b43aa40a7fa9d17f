/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs: the vCPUs of this CPU in turn, each in its monitor or in its guest, with equal shares
 * of its time. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* Runs the next vCPU that can run; sleeps while none can. The caller's stack is gone: schedule.S
 * empties it. */
void __attribute__((noreturn)) schedule(void);
void __attribute__((noreturn)) schedule_on_empty_stack(void);

/*
 * v may have been woken. If it has had less of the CPU than the one that runs, it gets it as soon
 * as that one has had its least turn; otherwise when that one has had as much: waking up often
 * gives nobody more than its share.
 */
void sched_notify(struct vcpu *v);

/* Whether v neither has the CPU nor wants it. */
bool sched_sleeps(const struct vcpu *v);

/* Recomputes this CPU's next_event: after another one than that of v, which runs, has changed. */
void sched_own_event_changed(const struct vcpu *v);
void sched_update_next_event(void);

/* Ends the running vCPU's turn, if it is over by now (host TSC). */
void sched_slice_expire(uint64_t now);

/* An exit comes when the host's TSC, which is `now`, has reached `due`, or earlier: with the
 * preemption timer, before the console's patience is at its end. TIME_NEVER: none is wanted. */
void sched_set_guest_timer(uint64_t due, uint64_t now);

/* Before ring 3: an interrupt comes in time for the next event, if anybody but this monitor's VM
 * may want the CPU. */
void sched_set_monitor_timer(void);

/* Enters the guest of the vCPU that runs, after its monitor or the scheduler; not from an exit. */
void __attribute__((noreturn)) sched_enter_guest(struct vcpu *v);

#endif
