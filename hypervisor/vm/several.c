/* SPDX-License-Identifier: BSD-2-Clause */
/* R21, R36: who of the vCPUs has the monitor, and who is off. */
#include "hypervisor/vm/several.h"

#include "hypervisor/sched/sched.h"

static void give(struct vcpu *v, enum vcpu_mode mode)
{
    v->vm->process.thread = &v->thread;
    v->mode = mode;
    sched_notify(&v->thread);
}

bool monitor_take(struct vcpu *v)
{
    if (v->vm->monitor_taken) {
        v->mode = VCPU_WAITS;
        return false;
    }
    v->vm->monitor_taken = true;
    v->vm->process.thread = &v->thread;
    return true;
}

/* In turn: the next one behind v. */
static struct vcpu *next_waiting(const struct vcpu *v)
{
    uint32_t count = v->vm->plan->vcpus;

    for (uint32_t i = v->lapic.id + 1; i < v->lapic.id + count; i++) {
        struct vcpu *next = v->vm->vcpus[i < count ? i : i - count];
        if (next->mode == VCPU_WAITS)
            return next;
    }
    return NULL;
}

static void turn_off(struct vcpu *v)
{
    vlapic_init(&v->lapic);
    v->halted = v->nmi_pending = v->init = false;
    v->mode = VCPU_OFF;
    v->thread.deadline = TIME_NEVER;
    v->thread.waits = false;
    v->thread.work |= WORK_SCHEDULE; /* if it runs */
}

static bool is_between_instructions(const struct vcpu *v)
{
    return v->mode == VCPU_STARTS || ((v->mode == VCPU_IN_GUEST || v->mode == VCPU_STANDS) &&
                                      !(v->thread.work & WORK_EVENTS));
}

/* What has been sent to v, as soon as it can. */
static void follow(struct vcpu *v)
{
    if (v->init && is_between_instructions(v))
        turn_off(v);
    if (v->mode != VCPU_OFF)
        return;
    if (v->sipi != 0) {
        v->mode = VCPU_STARTS;
        sched_notify(&v->thread);
    } else if (vm_is_dead(v->vm)) { /* it was the last one that lived */
        sched_post(&v->vm->vcpus[0]->thread, EVENT_HALT);
    }
}

void vcpu_send_init(struct vcpu *v)
{
    if (v->lapic.id == 0) {
        sched_post(&v->thread, EVENT_INIT);
        return;
    }
    v->init = v->mode != VCPU_OFF;
    v->sipi = 0;
    if (v->kicks != 0)
        sched_post(&v->thread, EVENT_KICK);
    follow(v);
}

void vcpu_send_sipi(struct vcpu *v, uint8_t vector)
{
    if (v->sipi == 0 && (v->init || v->mode == VCPU_OFF)) /* the first one counts */
        v->sipi = SIPI_SENT | vector;
    follow(v);
}

void monitor_give_up(struct vcpu *v)
{
    struct vcpu *next = next_waiting(v);

    if (next != NULL)
        give(next, VCPU_CALLED);
    else
        v->vm->monitor_taken = false;
    follow(v);
    if (v->mode != VCPU_IN_GUEST)
        schedule();
}

static void power_up(struct vcpu *v)
{
    sched_take_events(&v->thread);
    vlapic_reset(&v->lapic, v->lapic_page, v->lapic.id, false);
    v->started = false;
    v->sipi = 0;
    v->kicks = 0;
    turn_off(v);
}

void monitor_reset(struct vm *vm)
{
    struct vcpu *first = vm->vcpus[0];
    bool other = vm->process.thread != &first->thread;

    for (uint32_t i = 1; i < vm->plan->vcpus; i++)
        power_up(vm->vcpus[i]);
    if (!other)
        return;
    process_set_result(&vm->process, 0);
    give(first, VCPU_IN_MONITOR);
    schedule();
}

bool vm_is_dead(const struct vm *vm)
{
    for (uint32_t i = 0; i < vm->plan->vcpus; i++) {
        const struct vcpu *v = vm->vcpus[i];
        bool sleeps = v->halted && !v->halted_if && !v->nmi_pending; /* in its monitor, too */
        if (v->mode != VCPU_OFF && !sleeps)
            return false;
    }
    return true;
}
