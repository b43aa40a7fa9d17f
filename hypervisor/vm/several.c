/* SPDX-License-Identifier: BSD-2-Clause */
/* R21, R36: who of the vCPUs has the monitor, who is off, and what they tell each other. */
#include "hypervisor/vm/several.h"

#include "hypervisor/cpu/words.h"
#include "hypervisor/sched/post.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/vlapic_page.h"
#include "lib/bits.h"

/* Bits of thread.mail. */
#define MAIL_INTERRUPTS 0xffu   /* they are in vcpu.mail: a bit for each word, */
#define MAIL_SIGNALS    0x100u  /* and signals in vcpu.signals */
#define MAIL_CALLED     0x200u  /* it has been given the monitor for its exit, */
#define MAIL_BEGIN      0x400u  /* or for a machine that starts anew */
#define MAIL_RESET      0x800u  /* it is to be as after power-up */
#define MAIL_TIMER      0x1000u /* vm.timer */
#define MAIL_STOP       0x2000u

_Static_assert(MAIL_INTERRUPTS == BIT(MAIL_WORDS) - 1, "a bit for each word");

static void see_to(struct vcpu *v, uint64_t mail);

static void tell(struct vcpu *v, uint64_t mail)
{
    if (v->thread.cpu == this_cpu())
        see_to(v, mail);
    else
        sched_put(&v->thread, &v->thread.mail, mail);
}

static void have_monitor(struct vcpu *v)
{
    v->vm->process.thread = &v->thread;
    v->vm->process.stack = v->stack;
}

bool monitor_take(struct vcpu *v)
{
    if (!agree_take(&v->vm->agree, v->lapic.id)) {
        v->mode = VCPU_WAITS;
        return false;
    }
    have_monitor(v);
    return true;
}

static void go_on(struct vcpu *v, enum vcpu_mode mode)
{
    v->mode = mode;
    sched_notify(&v->thread);
}

static void leave_cpu(struct vcpu *v, enum vcpu_mode mode)
{
    v->mode = mode;
    v->thread.deadline = TIME_NEVER;
    if (!(v->thread.work & WORK_MAIL)) /* which it has still to take */
        sched_withdraw(&v->thread);
    v->thread.work |= WORK_SCHEDULE; /* if it runs */
}

static void turn_off(struct vcpu *v)
{
    vlapic_init(&v->lapic);
    v->halted = v->nmi_pending = v->init = false;
    leave_cpu(v, VCPU_OFF);
}

static bool is_between_instructions(const struct vcpu *v)
{
    return v->mode == VCPU_STARTS || ((v->mode == VCPU_IN_GUEST || v->mode == VCPU_STANDS) &&
                                      !(v->thread.work & WORK_EVENTS));
}

static void all_rest(struct vm *vm)
{
    if (!agree_resets(&vm->agree))
        sched_post(&vm->vcpus[0]->thread, EVENT_HALT);
}

void vcpu_follow_rest(struct vcpu *v, bool received)
{
    bool rests = v->mode == VCPU_OFF ||
                 (v->halted && !v->halted_if && !v->nmi_pending); /* in its monitor, too */
    int64_t by = (int64_t)v->rests - rests - received;

    v->rests = rests;
    if (agree_change(&v->vm->agree, by))
        all_rest(v->vm);
}

/* What has been sent to v, as soon as it can. */
static void follow(struct vcpu *v, bool received)
{
    if (v->init && is_between_instructions(v))
        turn_off(v);
    if (v->mode == VCPU_OFF && v->sipi != 0)
        v->mode = VCPU_STARTS;
    vcpu_follow_rest(v, received);
    sched_notify(&v->thread);
}

/* An NMI behind a SIPI comes when that has been followed. */
static void take_signals(struct vcpu *v, uint64_t signals)
{
    if (signals & SIGNAL_INIT) {
        v->init = v->mode != VCPU_OFF;
        v->sipi = 0;
        if (v->kicks != 0)
            sched_post(&v->thread, EVENT_KICK);
    }
    if (signals & SIGNAL_SIPI && v->sipi == 0 && (v->init || v->mode == VCPU_OFF))
        v->sipi = (uint16_t)(signals & (SIGNAL_SIPI | 0xff)); /* the first one counts */
    if (signals & SIGNAL_NMI) {
        v->sipi |= v->sipi != 0 ? SIGNAL_NMI : 0;
        v->nmi_pending |= v->sipi == 0 && v->mode != VCPU_OFF;
        v->thread.work |= WORK_INTERRUPT;
    }
    follow(v, signals & SIGNAL_ENDS_REST);
}

void vcpu_send(struct vcpu *v, uint64_t signal)
{
    if (v->lapic.id == 0 && signal != SIGNAL_NMI) {
        if (signal == SIGNAL_INIT)
            sched_post(&v->thread, EVENT_INIT);
        return;
    }
    if (agree_send(&v->vm->agree, &v->signals, signal))
        all_rest(v->vm);
    tell(v, MAIL_SIGNALS);
}

static void take_interrupts(struct vcpu *v, uint64_t words)
{
    for (; words != 0; words &= words - 1) {
        uint64_t n = set_first(words), vectors = mail_take(&v->mail, (unsigned)n);
        for (; vectors != 0; vectors &= vectors - 1)
            vlapic_deliver(&v->lapic, (uint8_t)(64 * n + set_first(vectors)), n >= MAIL_LEVEL);
    }
    v->thread.work |= WORK_INTERRUPT;
    sched_notify(&v->thread);
}

bool vcpu_send_interrupt(struct vcpu *v, uint8_t vector, bool level)
{
    if (!vlapic_accepts(&v->lapic))
        return false;
    sched_put(&v->thread, &v->thread.mail, BIT(mail_put(&v->mail, vector, level)));
    return vector >= APIC_FIRST_VECTOR;
}

void monitor_give_up(struct vcpu *v)
{
    uint32_t next = agree_give_up(&v->vm->agree, v->lapic.id);

    if (next != AGREE_NOBODY) {
        have_monitor(v->vm->vcpus[next]);
        tell(v->vm->vcpus[next], MAIL_CALLED);
    }
    follow(v, false);
    if (v->mode != VCPU_IN_GUEST)
        schedule();
}

/* All are off: nobody sends anything, and what has been sent is forgotten. */
static void begin(struct vm *vm)
{
    for (uint32_t i = 0; i < vm->plan->vcpus; i++) {
        struct vcpu *v = vm->vcpus[i];
        for (unsigned n = 0; n < MAIL_WORDS; n++)
            mail_take(&v->mail, n);
        agree_receive(&v->signals);
        v->rests = i > 0;
    }
    agree_begin(&vm->agree);
    have_monitor(vm->vcpus[0]);
    tell(vm->vcpus[0], MAIL_BEGIN);
}

static void reset(struct vcpu *v)
{
    if (v->lapic.id != 0) {
        sched_take_events(&v->thread);
        vlapic_reset(&v->lapic, v->lapic_page, v->lapic.id, false);
        v->started = false;
        v->sipi = 0;
        v->kicks = 0;
    }
    turn_off(v);
    if (agree_heard(&v->vm->agree))
        begin(v->vm);
}

void monitor_reset(struct vcpu *v)
{
    struct vm *vm = v->vm;

    process_set_result(&vm->process, 0);
    agree_reset(&vm->agree, vm->plan->vcpus);
    for (uint32_t i = 0; i < vm->plan->vcpus; i++)
        tell(vm->vcpus[i], MAIL_RESET);
    schedule();
}

void monitor_set_timer(struct vm *vm, uint64_t tsc)
{
    word_swap(&vm->timer, tsc);
    tell(vm->vcpus[0], MAIL_TIMER);
}

void vcpus_stop(struct vm *vm)
{
    for (uint32_t i = 0; i < vm->plan->vcpus; i++)
        tell(vm->vcpus[i], MAIL_STOP);
}

/* All but interrupts, which are the many. */
static void __attribute__((noinline)) see_to_rest(struct vcpu *v, uint64_t mail)
{
    if (mail & MAIL_SIGNALS)
        take_signals(v, agree_receive(&v->signals));
    if (mail & MAIL_RESET)
        reset(v);
    if (mail & MAIL_TIMER)
        sched_set_ring3_timer(&v->thread, word_load(&v->vm->timer));
    if (mail & MAIL_CALLED)
        go_on(v, VCPU_CALLED);
    if (mail & MAIL_BEGIN)
        go_on(v, VCPU_IN_MONITOR);
    if (mail & MAIL_STOP) {
        v->thread.timer = TIME_NEVER;
        leave_cpu(v, VCPU_STOPPED);
    }
}

static void see_to(struct vcpu *v, uint64_t mail)
{
    if (agree_resets(&v->vm->agree)) /* what else comes is of before */
        mail &= MAIL_RESET | MAIL_TIMER;
    if (mail & MAIL_INTERRUPTS)
        take_interrupts(v, mail & MAIL_INTERRUPTS);
    if (mail & ~(uint64_t)MAIL_INTERRUPTS)
        see_to_rest(v, mail);
}

void vcpu_take_mail(struct vcpu *v)
{
    v->thread.work &= ~WORK_MAIL;
    see_to(v, post_take(&v->thread.mail));
}

void vcpu_mailed(struct thread *t)
{
    if (t == THIS_CPU(sched).running) {
        vcpu_take_mail(VCPU_OF(t));
    } else {
        t->work |= WORK_MAIL;
        sched_notify(t);
    }
}
