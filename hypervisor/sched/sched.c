/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/sched.h"

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/lib/bits.h"
#include "hypervisor/report/console.h"
#include "hypervisor/sched/resident.h"
#include "hypervisor/user/monitor.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/vm.h"

#define SLICE_MS 10

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

/* The next in turn after the one that ran last, or NULL; *others: somebody else can run too. */
static struct vcpu *pick(const struct vcpu *last, bool *others)
{
    uint32_t start = last != NULL ? last->vm->index + 1 : 0, n = 0;
    struct vcpu *first = NULL;

    for (uint32_t i = 0; i < vm_count; i++) {
        struct vcpu *v = vms[(start + i) % vm_count].vcpu;
        if (can_run(v) && n++ == 0)
            first = v;
    }
    *others = n > 1;
    return first;
}

static void idle(struct cpu *cpu)
{
    uint64_t wake = min_u64(cpu->next_event, console_due);

    if (wake > rdtsc()) {
        apic_timer_arm(wake);
        sti_hlt_cli();
    }
    uint64_t now = rdtsc();
    console_look(now);
    if (cpu->next_event <= now)
        events_expire(now);
}

/* From now on the vCPU that runs uses up what it has left of its slice. */
static void start_slice(struct cpu *cpu)
{
    cpu->slice_end = rdtsc() + cpu->vcpu->slice_left;
}

/* The vCPU that ran keeps the rest of its slice. */
static void stop_slice(struct cpu *cpu)
{
    uint64_t now = rdtsc();

    if (cpu->slice_end != TIME_NEVER)
        cpu->vcpu->slice_left = cpu->slice_end > now ? cpu->slice_end - now : 0;
    cpu->slice_end = TIME_NEVER;
}

static void __attribute__((noreturn)) run(struct cpu *cpu, struct vcpu *v, bool others)
{
    uint64_t root = phys_of(v->vm->root);

    /* R37: also before a guest, whose exit loads CR3 but, with VPIDs, drops no translation of
     * another monitor's. */
    if (read_cr3() != root)
        write_cr3(root);
    cpu->vcpu = v;
    if (v->slice_left == 0)
        v->slice_left = tsc_khz() * SLICE_MS;
    if (others || console_due != TIME_NEVER)
        start_slice(cpu);
    sched_update_next_event();
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
    bool others;

    stop_slice(cpu);
    console_look(rdtsc());
    cpu->vcpu = NULL;
    sched_update_next_event();
    while ((v = pick(last, &others)) == NULL)
        idle(cpu);
    run(cpu, v, others);
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

void sched_notify(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();
    struct vcpu *running = cpu->vcpu;

    if (running == NULL || running == v || !v->halted || !can_run(v))
        return;
    if (v->slice_left > 0) {
        running->work |= WORK_SCHEDULE;
    } else if (cpu->slice_end == TIME_NEVER) {
        start_slice(cpu);
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

void sched_update_next_event(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t next = cpu->slice_end;

    for (uint32_t i = 0; i < vm_count; i++)
        next = min_u64(next, min_u64(vms[i].vcpu->guest_deadline, vms[i].vcpu->timer));
    if (__builtin_expect(next == TIME_NEVER, 0))
        forget_next_event(cpu);
    else
        cpu->next_event = next;
}

void sched_slice_expire(uint64_t now)
{
    struct cpu *cpu = this_cpu();

    if (cpu->slice_end <= now) {
        stop_slice(cpu);
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
