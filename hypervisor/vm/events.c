/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/events.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/vm/apic_virtual.h"
#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/vm.h"
#include "hypervisor/vmx/inject.h"

#define PATIENCE_MS 10

void events_set_guest_timer(struct cpu_block *cpu, uint64_t due, uint64_t now)
{
    if (control_has(&vmx.controls, CONTROL_PREEMPTION_TIMER))
        /* R42 */
        vmwrite(VMCS_PREEMPTION_TIMER_VALUE,
                min_u64(due - now, CPU_OF(cpu, vm_cpu).patience) >> vmx.timer_shift);
    else
        apic_timer_arm(cpu, due);
}

static uint64_t kick_patience(void)
{
    return tsc_khz() / 1000 * KICK_US;
}

uint64_t events_patience(const struct vcpu *v)
{
    return v->kicks != 0 ? kick_patience() : tsc_khz() * PATIENCE_MS;
}

void events_kicked(struct vcpu *v)
{
    CPU_OF(VCPU_CPU(v), vm_cpu).patience = kick_patience();
    if (CPU_OF(VCPU_CPU(v), sched).next_event == TIME_NEVER)
        events_set_guest_timer(VCPU_CPU(v), TIME_NEVER, 0);
}

void events_none_due(struct cpu_block *cpu)
{
    if (CPU_OF(cpu, vm_cpu).vmcs_owner != NULL)
        events_set_guest_timer(cpu, TIME_NEVER, 0);
}

void vcpu_toggle(struct vcpu *v, uint32_t mask, bool on)
{
    uint32_t want = on ? v->proc_controls | mask : v->proc_controls & ~mask;

    if (want != v->proc_controls) {
        v->proc_controls = want;
        vmwrite(VMCS_PROC_CONTROLS, want);
    }
}

/* R40: at most one event for an entry; for what cannot be injected yet, a window exit. NMIs come
 * first. A processor that delivers interrupts itself hears of them, and leaves no more than NMIs.
 */
static void inject(struct vcpu *v)
{
    if (v->lapic.handed_over) {
        apic_virtual_request(v);
        if (!v->nmi_pending && !(v->proc_controls & CONTROL_MASK(NMI_WINDOW_EXITING)))
            return;
    }
    struct inject_state state = {
        .rflags = vmread(VMCS_GUEST_RFLAGS),
        .interruptibility = (uint32_t)vmread(VMCS_GUEST_INTERRUPTIBILITY),
        .entry_info = (uint32_t)vmread(VMCS_ENTRY_INTERRUPTION_INFO),
        .pending_debug = vmread(VMCS_GUEST_PENDING_DEBUG),
    };

    if (v->nmi_pending && inject_takes_nmi(&state)) {
        v->nmi_pending = false;
        state.entry_info = EVENT_INFO(EVENT_TYPE_NMI, VECTOR_NMI);
        vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, state.entry_info);
    }
    int vector = vlapic_highest_pending(&v->lapic);
    if (vector != VLAPIC_NONE && inject_takes_interrupt(&state)) {
        vlapic_accept(&v->lapic, (uint8_t)vector);
        vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_INFO(EVENT_TYPE_INTERRUPT, (uint8_t)vector));
        vector = vlapic_highest_pending(&v->lapic);
    }
    vcpu_toggle(v, CONTROL_MASK(INTERRUPT_WINDOW_EXITING), vector != VLAPIC_NONE);
    vcpu_toggle(v, CONTROL_MASK(NMI_WINDOW_EXITING), v->nmi_pending);
}

/* Under one test with what is rare anyway: who has no debugger pays nothing. Returns what is left.
 */
static uint32_t __attribute__((noinline)) rare_work(struct vcpu *v, uint32_t work)
{
    if (work & WORK_DEBUG)
        work = debug_before_entry(v, work);
    if (work & WORK_TIMER)
        events_deadline_changed(v, rdtsc());
    return work;
}

void events_work(struct vcpu *v)
{
    uint32_t work = v->thread.work;

    v->thread.work = work & WORK_STAYS; /* waits if it is somebody else's turn */
    if (work & (WORK_TIMER | WORK_DEBUG))
        work = rare_work(v, work);
    if (work & WORK_INTERRUPT)
        inject(v);
    if (work & WORK_SCHEDULE)
        schedule();
    if (work & WORK_EVENTS)
        exit_with_events(v);
}

/* R42: between two of them a guest gets this part of a millisecond at least. With 0 it would not
 * come to one instruction. */
#define LEAST_SHARE 100

static void __attribute__((noinline)) take_due(struct vcpu *v, uint64_t now)
{
    sched_expire(now);
    if (v->thread.work & ~WORK_MARKS)
        events_work(v);
    uint64_t due = CPU_OF(VCPU_CPU(v), sched).next_event, least = tsc_khz() / LEAST_SHARE;
    if (due == TIME_NEVER) /* and so it is armed: sched_no_event */
        return;
    now = rdtsc();
    events_set_guest_timer(VCPU_CPU(v), max_u64(due, now + least), now);
}

void events_arm_timer(struct vcpu *v)
{
    uint64_t now = rdtsc(), due = CPU_OF(VCPU_CPU(v), sched).next_event;

    if (__builtin_expect(due <= now, 0))
        take_due(v, now);
    else
        events_set_guest_timer(VCPU_CPU(v), due, now);
}

/* The local APIC's state has changed: look at it before the next entry; a halted vCPU wakes. */
static void interrupt(struct vcpu *v)
{
    v->thread.work |= WORK_INTERRUPT;
    sched_notify(&v->thread);
}

static void follow_timer(struct vcpu *v, uint64_t now)
{
    uint64_t left = vlapic_timer_left(&v->lapic, now + v->tsc_offset);

    v->thread.deadline = left < TIME_NEVER - now ? now + left : TIME_NEVER;
}

void events_deadline_changed(struct vcpu *v, uint64_t now)
{
    follow_timer(v, now);
    if (v->lapic.pending != VLAPIC_NONE) /* the old deadline had been reached */
        v->thread.work |= WORK_INTERRUPT;
    sched_own_event_changed(&v->thread);
}

void events_clock(struct vcpu *v, uint64_t event)
{
    v->page->clock = (struct exit_clock){
        .tsc_offset = v->tsc_offset + v->vm->process.info->tsc_behind,
        .system_time = v->msr.file.value[MSR_SLOT_KVM_SYSTEM_TIME],
        .wall_clock = v->msr.file.value[MSR_SLOT_KVM_WALL_CLOCK],
    };
    sched_post(&v->thread, event);
}

void events_deadline_due(struct thread *t, uint64_t now)
{
    struct vcpu *v = VCPU_OF(t);

    vlapic_expire(&v->lapic, now + v->tsc_offset);
    follow_timer(v, now);
    interrupt(v);
    if (sched_sleeps(t)) { /* what did not wake it does not the next time: see when it runs */
        t->deadline = TIME_NEVER;
        t->work |= WORK_TIMER;
    }
}

static bool deliver(struct vcpu *v, const struct apic_message *message)
{
    switch (message->delivery) {
    case APIC_FIXED:
    case APIC_LOWEST_PRIORITY:
        if (VCPU_CPU(v) != this_cpu())
            return vcpu_send_interrupt(v, message->vector, message->level);
        if (!vlapic_deliver(&v->lapic, message->vector, message->level))
            return false;
        interrupt(v);
        return true;
    case APIC_NMI:
        vcpu_send(v, SIGNAL_NMI);
        return true;
    case APIC_INIT:
        vcpu_send(v, SIGNAL_INIT);
        return true;
    case APIC_SIPI:
        vcpu_send(v, SIGNAL_SIPI | message->vector);
        return true;
    default: /* SMI and ExtINT have no source here */
        return true;
    }
}

bool events_message(struct vcpu *v, const struct apic_message *message)
{
    const struct vm *vm = v->vm;
    int source = message->shorthand != APIC_TO_DESTINATION ? (int)v->lapic.id : VLAPIC_NONE;
    uint64_t targets = vlapic_targets(vm->lapics, vm->plan->vcpus, source, message);
    bool accepted = false;

    for (; targets != 0; targets &= targets - 1)
        accepted |= deliver(vm->vcpus[__builtin_ctzll(targets)], message);
    return accepted;
}

void events_apic_effect(struct vcpu *v, const struct vlapic_effect *effect)
{
    if (effect->what & VLAPIC_EFFECT_ENABLE) {
        apic_virtual_update(v);
        sched_post(&v->thread, EVENT_APIC);
    }
    if (effect->what & VLAPIC_EFFECT_TIMER)
        events_deadline_changed(v, rdtsc());
    if (effect->what & VLAPIC_EFFECT_IPI)
        events_message(v, &effect->ipi);
    if (effect->what & VLAPIC_EFFECT_EOI) {
        v->eoi_pending = effect->eoi_vector + 1u;
        v->thread.work |= WORK_EVENTS;
    }
    if (v->lapic.pending != VLAPIC_NONE)
        v->thread.work |= WORK_INTERRUPT;
}
