/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs: the threads of this CPU with a budget for as long as they have some left, and otherwise
 * all in turn, with equal shares of its time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/sched/thread.h"
#include "lib/bits.h"

/* A CPU's scheduler. */
struct sched {
    struct thread *running;  /* NULL: nobody, until schedule() has found one */
    struct thread *last;     /* who ran before */
    struct thread *threads;  /* all of this CPU, */
    struct thread *waiting;  /* and those that wait for it */
    uint64_t next_event;     /* the TSC at which there is something to look at while one runs: */
    uint64_t others_event;   /* its time slice is over, or a sleeper may be to have the CPU; or else
                                its own timer is due */
    uint64_t sleepers_event; /* no timer of those that sleep is due earlier; it may be that of one
                                which has been woken since. TIME_NEVER: they have none */
    uint64_t expired;        /* when that came which is looked after just now; 0: none is */
    uint64_t slice_end;      /* TIME_NEVER: nobody waits for the CPU */
    uint64_t accounted;      /* until when its time has been added to what it has used */
    uint64_t rival_used;   /* the least that any has had that waits for it; UINT64_MAX: none does */
    uint64_t rival_refill; /* when one of these may get its next budget; UINT64_MAX: never */
    uint64_t least_used;   /* what all that want the CPU have had at least, at any time until now */
    bool promises;         /* one of the threads has a budget */
};

extern PER_CPU struct sched sched;

/* Before the first thread of this CPU. */
void sched_init(void);

/* A new thread of a CPU, which sleeps. In each `period` it is promised `budget` of it,
 * microseconds that the plan's check has passed; 0: nothing, it shares with the others what is
 * left. At boot. */
void sched_add(struct thread *t, struct cpu_block *cpu, const struct thread_kind *kind,
               uint32_t budget, uint32_t period);

/* Runs the next thread that can run; sleeps while none can. The caller's stack is gone: schedule.S
 * empties it. */
void __attribute__((noreturn)) schedule(void);
void __attribute__((noreturn)) schedule_on_empty_stack(void);

/* Before schedule(), for who has others to wake: the one that runs, which has nothing to do, has
 * left the CPU, and is not interrupted for them. */
void sched_leave(void);

/* t, which runs, lets others have the CPU before it goes on. Of what they have had more than it
 * by then it keeps a turn: yielding saves nothing up. */
void sched_give_way(struct thread *t);

/* Whether t neither has the CPU nor wants it. */
static inline bool sched_sleeps(const struct thread *t)
{
    return !t->queued && t != CPU_OF(t->cpu, sched).running;
}

/*
 * t, which sleeps, may have been woken. With a budget it gets the CPU at once, unless one runs
 * whose period ends earlier. Otherwise, if it has had less of the CPU than the one that runs, it
 * gets it as soon as that one has had its least turn; otherwise when that one has had as much:
 * waking up often gives nobody more than its share.
 */
void sched_wake(struct thread *t);

/* t, which can run no more, does not wait for the CPU. */
void sched_withdraw(struct thread *t);

/* sched_wake for one that may be awake. */
static inline void sched_notify(struct thread *t)
{
    if (sched_sleeps(t))
        sched_wake(t);
}

/* Something for t's ring 3: EVENT_*. From any CPU; the other functions are for t's own. */
void sched_post(struct thread *t, uint64_t events);

/* The same by a word of t, which is at home on another CPU: t->posted, or t->mail with bits of the
 * kind's own. */
void sched_put(struct thread *t, uint64_t *word, uint64_t bits);

/* What has been posted for t, which runs, since this was called last. */
uint64_t sched_take_events(struct thread *t);

/* Another CPU has posted something for threads of this one: VECTOR_KICK has come. */
void sched_kicked(void);

/* What t has had of its CPU until now, TSC ticks; from another CPU, where it gets and leaves the
 * CPU meanwhile, it may be less by what it has just had. */
uint64_t sched_ran(const struct thread *t);

/* Everybody whose timer is due by now (host TSC) gets what it waited for. Somebody runs. */
void sched_expire(uint64_t now);

/* EVENT_TIMER for t's ring 3 when the TSC has reached this value. Somebody runs. */
void sched_set_ring3_timer(struct thread *t, uint64_t tsc);

/* The scheduler's own: next_event, while somebody runs, and when it becomes TIME_NEVER. */
void __attribute__((noinline)) sched_forget_event(struct cpu_block *cpu);
static inline void sched_set_event(struct cpu_block *cpu, uint64_t next)
{
    if (__builtin_expect(next == TIME_NEVER, 0))
        sched_forget_event(cpu);
    else
        CPU_OF(cpu, sched).next_event = next;
}

/* Recomputes this CPU's next_event, after a timer of t, which runs, has changed. */
static inline void sched_own_event_changed(const struct thread *t)
{
    uint64_t others = CPU_OF(t->cpu, sched).others_event;

    sched_set_event(t->cpu, min_u64(others, min_u64(t->deadline, t->timer)));
}

/* Before t's ring 3, which no other timer ends: an interrupt comes when somebody else wants the
 * CPU. */
static inline __attribute__((always_inline)) void sched_set_timer(const struct thread *t)
{
    uint64_t due = CPU_OF(t->cpu, sched).others_event;

    if (due != TIME_NEVER)
        apic_timer_arm(t->cpu, due);
}

/* Called when next_event becomes TIME_NEVER: whoever lets another timer than the local APIC's run
 * takes it out of the way. Set once, before the first thread runs. */
extern void (*sched_no_event)(struct cpu_block *cpu);
