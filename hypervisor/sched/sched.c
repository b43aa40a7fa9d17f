/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/sched.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/console.h"
#include "hypervisor/sched/resident.h"
#include "hypervisor/user/monitor.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/vm.h"
#include "lib/bits.h"

/*
 * Who wants the CPU and has had the least of it runs next. One that runs goes on until it has had
 * TURN_MS more than another one that waits, or only as much as one that has just been woken, but
 * LEAST_TURN_MS at least: switching then takes a small part of the time, however often somebody
 * wakes. Who is woken pays for it with an eighth of a millisecond, more than two switches take even
 * in an emulator.
 * Two VMs that compute take turns of 2 * TURN_MS, so that neither is behind by more than that in
 * any time (docs/bounds.md).
 */
#define TURN_MS       3
#define LEAST_TURN_MS 1
#define WAKE_SHIFT    3

static bool can_run(const struct vcpu *v)
{
    switch (v->mode) {
    case VCPU_IN_MONITOR:
        return true;
    case VCPU_IN_GUEST:
        return !v->halted || vcpu_may_wake(v) || v->work & WORK_MONITOR;
    default:
        return false;
    }
}

/* Whether a runs before b. The others come before the one that ran last: it may have yielded. */
static bool is_before(const struct vcpu *a, const struct vcpu *b, const struct vcpu *last)
{
    return b == NULL || b == last || (a != last && a->used < b->used);
}

/* Who runs next, or NULL; rival_used follows from the others. */
static struct vcpu *pick(struct cpu *cpu, const struct vcpu *last)
{
    struct vcpu *first = NULL;

    cpu->rival_used = UINT64_MAX;
    for (uint32_t i = 0; i < vm_count; i++) {
        struct vcpu *v = vms[i].vcpu, *other = v;
        if (!v->waits)
            continue;
        if (is_before(v, first, last)) {
            other = first;
            first = v;
        }
        if (other != NULL)
            cpu->rival_used = min_u64(cpu->rival_used, other->used);
    }
    return first;
}

/* Until now the time is that of the one that runs: in its guest, in its monitor, and here for it.
 */
static void account(struct cpu *cpu)
{
    uint64_t now = rdtsc();
    struct vcpu *v = cpu->vcpu;

    v->used += now - cpu->accounted;
    cpu->accounted = now;
    cpu->least_used = max_u64(cpu->least_used, min_u64(v->used, cpu->rival_used));
}

/* The TSC at which the one that runs has had that much. */
static uint64_t turn_end(const struct cpu *cpu, uint64_t used)
{
    uint64_t had = cpu->vcpu->used;

    return max_u64(cpu->turn_start + LEAST_TURN_MS * tsc_khz(),
                   cpu->accounted + (used > had ? used - had : 0));
}

static void idle(struct cpu *cpu)
{
    apic_timer_arm(min_u64(cpu->next_event, console_due));
    sti_hlt_cli();
    cpu->accounted = rdtsc(); /* nobody's time */
    console_look(cpu->accounted);
    if (cpu->next_event <= cpu->accounted)
        events_expire(cpu->accounted);
}

static void __attribute__((noreturn)) run(struct cpu *cpu, struct vcpu *v)
{
    uint64_t root = phys_of(v->vm->root);

    /* R37: also before a guest, whose exit loads CR3 but, with VPIDs, drops no translation of
     * another monitor's. */
    if (read_cr3() != root)
        write_cr3(root);
    cpu->vcpu = v;
    v->waits = false;
    cpu->turn_start = cpu->accounted; /* switching to it is its own time */
    if (cpu->rival_used != UINT64_MAX || console_due != TIME_NEVER)
        cpu->slice_end = turn_end(cpu, min_u64(cpu->rival_used, v->used + TURN_MS * tsc_khz()) +
                                           TURN_MS * tsc_khz());
    cpu->others_event = min_u64(cpu->others_event, cpu->slice_end);
    sched_own_event_changed(v);
    cpu->tss.rsp[0] = (uint64_t)(&v->user_frame + 1);
    v->work &= ~WORK_SCHEDULE;
    if (v->mode == VCPU_IN_MONITOR)
        monitor_resume(v);
    sched_enter_guest(v);
}

void schedule_on_empty_stack(void)
{
    struct cpu *cpu = this_cpu();
    struct vcpu *last = cpu->vcpu, *v;

    if (last != NULL) {
        account(cpu);
        last->waits = can_run(last);
    } else {
        cpu->accounted = rdtsc();
    }
    console_look(cpu->accounted);
    cpu->vcpu = NULL;
    cpu->slice_end = TIME_NEVER;
    sched_update_next_event();
    while ((v = pick(cpu, last)) == NULL)
        idle(cpu);
    run(cpu, v);
}

void sched_enter_guest(struct vcpu *v)
{
    if (v->halted && vcpu_may_wake(v))
        v->halted = false;
    if (v->halted && !(v->work & WORK_MONITOR))
        schedule();
    vcpu_load(v);
    resident_to_guest(v);
    events_before_entry(v);
    vmx_enter(v);
}

bool sched_sleeps(const struct vcpu *v)
{
    return !v->waits && v != this_cpu()->vcpu;
}

void sched_notify(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (!sched_sleeps(v) || !can_run(v))
        return;
    if (cpu->vcpu != NULL)
        account(cpu);
    v->waits = true;
    /* sleeping saves no time up */
    v->used = max_u64(v->used, cpu->least_used) + (tsc_khz() >> WAKE_SHIFT);
    if (cpu->vcpu != NULL) {
        cpu->rival_used = min_u64(cpu->rival_used, v->used);
        cpu->slice_end = min_u64(cpu->slice_end, turn_end(cpu, v->used));
        sched_update_next_event();
    }
}

/* Nobody waits for anything: the preemption timer, if a VMCS is there to set it, is out
 * of the way. */
static void __attribute__((noinline)) forget_next_event(struct cpu *cpu)
{
    bool armed = cpu->next_event != TIME_NEVER && cpu->vmcs_owner != NULL;

    cpu->next_event = TIME_NEVER;
    if (armed)
        sched_set_guest_timer(TIME_NEVER, 0);
}

static void set_next_event(struct cpu *cpu, uint64_t next)
{
    if (__builtin_expect(next == TIME_NEVER, 0))
        forget_next_event(cpu);
    else
        cpu->next_event = next;
}

void sched_own_event_changed(const struct vcpu *v)
{
    struct cpu *cpu = VCPU_CPU(v);

    set_next_event(cpu, min_u64(cpu->others_event, min_u64(v->guest_deadline, v->timer)));
}

/* Who waits for the CPU finds out what is due when its turn comes: nobody is interrupted for it. */
void sched_update_next_event(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t next = cpu->slice_end;

    for (uint32_t i = 0; i < vm_count; i++) {
        const struct vcpu *v = vms[i].vcpu;
        if (!v->waits && v != cpu->vcpu)
            next = min_u64(next, min_u64(v->guest_deadline, v->timer));
    }
    cpu->others_event = next;
    if (cpu->vcpu != NULL)
        sched_own_event_changed(cpu->vcpu);
    else
        set_next_event(cpu, next);
}

void sched_slice_expire(uint64_t now)
{
    struct cpu *cpu = this_cpu();

    if (cpu->slice_end <= now) {
        cpu->slice_end = TIME_NEVER;
        cpu->vcpu->work |= WORK_SCHEDULE;
    }
}

void sched_set_guest_timer(uint64_t due, uint64_t now)
{
    if (control_has(&vmx.controls, CONTROL_PREEMPTION_TIMER))
        /* R42 */
        vmwrite(VMCS_PREEMPTION_TIMER_VALUE,
                min_u64(due - now, console_patience) >> vmx_preemption_timer_shift(&vmx.caps));
    else
        apic_timer_arm(due);
}

void sched_set_monitor_timer(void)
{
    if (vm_count > 1)
        apic_timer_arm(this_cpu()->next_event);
}
