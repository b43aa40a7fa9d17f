/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread: what a CPU runs. It is a part of what it runs: of a vCPU, whose thread runs the guest
 * or, for its exits, the VM's monitor; or of a process that is no monitor. It has a home CPU, and
 * never moves by itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/trap.h"

#define TIME_NEVER UINT64_MAX

/* Bits of thread.work: what must be looked at before a guest is entered, in one word that the exit
 * path tests. The others are the kind's own. */
#define WORK_EVENTS    (1u << 0) /* ring 3 is wanted: `events`, or what the kind has besides */
#define WORK_SCHEDULE  (1u << 1) /* another thread's turn, or this one has nothing to do */
#define WORK_KIND_BITS 2

struct thread;

struct thread_kind {
    /* Whether it has something to do. */
    bool (*can_run)(const struct thread *t);
    /* It has the CPU: it goes on where it was. */
    void __attribute__((noreturn)) (*resume)(struct thread *t);
    /* Its `deadline` has come; `now` is the TSC. NULL: it has none. */
    void (*expire)(struct thread *t, uint64_t now);
    /* An exception in ring 3, with the frame that trap.S left. */
    void __attribute__((noreturn)) (*fault)(struct thread *t, struct trap_frame *frame);
    /* Another CPU has posted something into its `mail`. NULL: none does. */
    void (*mailed)(struct thread *t);
};

struct thread {
    uint32_t work;         /* WORK_* */
    bool queued;           /* it wants the CPU, and is one of those that wait for it */
    struct cpu_block *cpu; /* its home */
    const struct thread_kind *kind;
    void __attribute__((noreturn)) (*resume)(struct thread *t); /* its kind's, or a trace's first */
    uint32_t trace;                                             /* what it is called there */
    struct thread *next, *next_waiting;                         /* of its CPU */
    struct thread *payer; /* in whose `used` its time counts: its own, but for a VM's other vCPUs */
    uint64_t used; /* of the CPU, TSC ticks; who sleeps gets no lower than those who do not */
    uint64_t ran;  /* what it has had of the CPU, TSC ticks, but for what is not accounted yet */
    uint64_t turn_start;     /* when it got the CPU last */
    uint64_t budget, period; /* what it is promised in each period, TSC ticks; 0: nothing */
    uint64_t left;           /* of its budget, until */
    uint64_t period_end;     /* TIME_NEVER: it has none */
    uint64_t timer;          /* host TSC at which ring 3 wants EVENT_TIMER */
    uint64_t deadline;       /* host TSC of the kind's own timer, for `expire` */
    uint64_t events;         /* EVENT_* of abi/process.h that ring 3 has not been told, */
    uint64_t posted;         /* and those that other CPUs have posted (hypervisor/sched/post.h) */
    uint64_t mail;           /* what they have posted for the kind itself */
};

/* The structure that a thread is a part of. */
#define THREAD_IN(type, member, t) ((type *)((uint8_t *)(t) - offsetof(type, member)))
