/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs: round robin over the vCPUs of this CPU, each in its monitor or in its guest. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <stdint.h>

struct vcpu;

/* Runs the next vCPU that can run; sleeps while none can. The caller's stack is gone: schedule.S
 * empties it. */
void __attribute__((noreturn)) schedule(void);
void __attribute__((noreturn)) schedule_on_empty_stack(void);

/*
 * v may have been woken. If it has something left of its last slice it gets the CPU at the next
 * chance, otherwise when the slice of the one that runs is over: waking up often gives nobody more
 * than its share.
 */
void sched_notify(struct vcpu *v);

/* Recomputes this CPU's next_event, after a deadline has changed. */
void sched_update_next_event(void);

/* Ends the running vCPU's time slice, if it is over by now (host TSC). */
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
