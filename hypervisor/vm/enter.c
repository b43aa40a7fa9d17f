/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/enter.h"

#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/trace.h"
#include "hypervisor/vm/vm.h"
#include "lib/format.h"

static bool can_run(const struct thread *t)
{
    const struct vcpu *v = VCPU_OF(t);

    switch (v->mode) {
    case VCPU_IN_MONITOR:
    case VCPU_CALLED:
    case VCPU_STARTS:
        return true;
    case VCPU_IN_GUEST:
        return !vcpu_sleeps(v);
    default:
        return t->work & WORK_MAIL;
    }
}

void vcpu_enter(struct vcpu *v)
{
    if (v->halted && vcpu_may_wake(v))
        v->halted = false;
    if (v->halted && !(v->thread.work & WORK_EVENTS))
        schedule();
    resident_to_guest(v);
    events_before_entry(v);
    v->enter(v);
}

static void __attribute__((cold, noinline)) hand_over_kicks(struct vcpu *v)
{
    v->page->kicks = v->kicks;
    v->kicks = 0;
    v->thread.events |= EVENT_KICK;
    v->thread.work |= WORK_EVENTS;
    CPU_OF(VCPU_CPU(v), vm_cpu).patience = events_patience(v);
}

/* Its events; with several vCPUs the monitor first, if it has not been called. */
static void __attribute__((cold, noinline)) hand_over(struct vcpu *v)
{
    if (v->thread.work & WORK_SHARED && v->mode != VCPU_CALLED && !monitor_take(v))
        schedule();
    if (v->thread.work & WORK_TRACED)
        trace_monitor(v);
    if (!(v->thread.work & WORK_EVENTS))
        return;
    v->page->events = sched_take_events(&v->thread);
    if (v->exit_kind == EXIT_EOI) {
        v->page->eoi.vector = v->eoi_pending - 1;
        v->eoi_pending = 0;
    }
    if (v->eoi_pending != 0)
        v->thread.work |= WORK_EVENTS;
}

static inline __attribute__((noreturn, always_inline)) void to_monitor(struct vcpu *v)
{
    v->page->events = 0;
    if (__builtin_expect(v->thread.work & WORK_STAYS, 0))
        hand_over(v);
    v->mode = VCPU_IN_MONITOR;
    resident_to_monitor(v);
    sched_set_timer(&v->thread);
    process_return(&v->vm->process, v->lapic.id);
}

static void __attribute__((noreturn)) resume(struct thread *t);

/* Something has come for a vCPU: its guest would not get far. */
static void __attribute__((noreturn, cold, noinline)) resume_with_work(struct vcpu *v)
{
    if (!(v->thread.work & WORK_MAIL))
        exit_with_events(v);
    vcpu_take_mail(v);
    if (!can_run(&v->thread))
        schedule();
    resume(&v->thread);
}

/* The exit of a vCPU that has waited for its monitor, or its start. */
static void __attribute__((noreturn, cold, noinline)) resume_anew(struct vcpu *v)
{
    if (v->thread.work & WORK_MAIL)
        resume_with_work(v);
    if (v->mode == VCPU_CALLED)
        to_monitor(v);
    vcpu_begin(v);
    vcpu_enter(v);
}

static void __attribute__((noreturn)) resume(struct thread *t)
{
    struct vcpu *v = VCPU_OF(t);

    process_switch(&v->vm->process, t->cpu);
    if (v->mode == VCPU_IN_GUEST) {
        if (t->work & (WORK_EVENTS | WORK_MAIL))
            resume_with_work(v);
        vcpu_load(v);
        vcpu_enter(v);
    }
    if (v->mode != VCPU_IN_MONITOR)
        resume_anew(v);
    if (t->work & WORK_MAIL)
        vcpu_take_mail(v);
    resident_to_monitor(v);
    process_resume(&v->vm->process);
}

/* A wish for the guest's vector registers, or the monitor's own fault, which ends its VM and
 * nothing else. */
static void __attribute__((noreturn)) fault(struct thread *t, struct trap_frame *frame)
{
    struct vcpu *v = VCPU_OF(t);
    char words[PROCESS_FAULT_WORDS], why[PROCESS_FAULT_WORDS + 16];

    if (frame->vector == VECTOR_NM) {
        resident_lend(v);
        trap_return(frame);
    }
    process_fault_words(frame, words, sizeof(words));
    format(why, sizeof(why), "its monitor: %s", words);
    vm_stop(v->vm, true, why);
    schedule();
}

const struct thread_kind vcpu_thread = {can_run, resume, events_deadline_due, fault, vcpu_mailed};

void exit_to_monitor(struct vcpu *v, enum exit_kind kind)
{
    v->exit_kind = kind;
    v->page->kind = kind;
    if (__builtin_expect(v->kicks != 0, 0))
        hand_over_kicks(v);
    to_monitor(v);
}

void exit_with_events(struct vcpu *v)
{
    exit_to_monitor(v, v->eoi_pending != 0 ? EXIT_EOI : EXIT_EVENTS);
}

void exit_shutdown(struct vcpu *v, enum exit_shutdown reason, uint32_t detail)
{
    if (v->debug.on && reason == SHUTDOWN_TRIPLE_FAULT)
        debug_exit(v);
    v->page->shutdown.reason = reason;
    v->page->shutdown.detail = detail;
    vcpu_save_state(v, &v->page->state);
    exit_to_monitor(v, EXIT_SHUTDOWN);
}
