/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/gate/gate.h"
#include "hypervisor/process/channel.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/guest_tsc.h"
#include "hypervisor/vm/reply.h"
#include "hypervisor/vm/resident.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/vm.h"

#define APIC_PAGE_SIZE 0x1000

/* False: it does not have these. A vCPU that halts leaves the CPU first: nobody interrupts it. Nor
 * does it take a reply: while it halts there are but events. One of several has the monitor to give
 * up, and goes the long way. */
static bool __attribute__((noinline)) take_along(struct vcpu *v, uint64_t with)
{
    uint64_t channels = with & GATE_WITH_CHANNELS;

    if (with & GATE_WITH_RESERVED || !channel_has(&v->vm->process, channels))
        return false;
    if (GATE_HAS_MESSAGE(with)) /* it may be an INIT of v, which has still the monitor */
        gate_message(GATE_ADDRESS_OF(with), GATE_DATA_OF(with), 0, &v->vm->process);
    v->mode = VCPU_IN_GUEST;
    bool sleeps = channels != 0 && !(v->thread.work & WORK_SHARED) && vcpu_sleeps(v);

    if (sleeps)
        sched_leave();
    channel_notify(&v->vm->process, channels);
    if (sleeps)
        schedule();
    return true;
}

int64_t gate_run(uint64_t with, uint64_t b, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);

    if (!v->started)
        return GATE_ESTATE;
    if (__builtin_expect(with != 0, 0) && !take_along(v, with))
        return GATE_EINVAL;
    vcpu_load(v);
    reply_apply(v);
    v->mode = VCPU_IN_GUEST;
    if (__builtin_expect(v->thread.work & WORK_SHARED, 0))
        monitor_give_up(v);
    vcpu_enter(v);
}

int64_t gate_start(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);

    if (v->lapic.id != 0)
        return GATE_ESTATE;
    v->exit_kind = EXIT_EVENTS;
    if (vm_options.counters)
        vm_log(v->vm, "starts at TSC %lu, the hypervisor at %lu", rdtsc(), boot_tsc);
    return vcpu_start(v) ? 0 : GATE_ESTATE;
}

int64_t gate_reset(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    monitor_reset(VCPU_OF(p->thread));
}

int64_t gate_message(uint64_t address, uint64_t data, uint64_t c, struct process *p)
{
    struct apic_message message;

    if (!vlapic_message(address, (uint32_t)data, &message))
        return GATE_EINVAL;
    return events_message(VCPU_OF(p->thread), &message);
}

int64_t gate_lapic_read(uint64_t offset, uint64_t b, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);

    if (offset >= APIC_PAGE_SIZE)
        return GATE_EINVAL;
    return vlapic_read_mmio(&v->lapic, (uint32_t)offset, guest_tsc(v));
}

int64_t gate_lapic_write(uint64_t offset, uint64_t value, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);
    struct vlapic_effect effect;

    if (offset >= APIC_PAGE_SIZE)
        return GATE_EINVAL;
    vlapic_write_mmio(&v->lapic, (uint32_t)offset, (uint32_t)value, guest_tsc(v), &effect);
    events_apic_effect(v, &effect);
    return 0;
}

int64_t gate_segments(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);

    vcpu_load(v);
    vcpu_save_segments(&v->page->state);
    return 0;
}

int64_t gate_state(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);

    vcpu_load(v);
    vcpu_save_state(v, &v->page->state);
    return 0;
}

int64_t gate_keys(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    struct vcpu *v = VCPU_OF(p->thread);

    vcpu_load(v);
    uint64_t pkrs = v->msr.file.features & MSR_FEATURE_PKS ? vmread(VMCS_GUEST_PKRS) : 0;
    return (int64_t)(pkrs << 32 | resident_pkru(v));
}

int64_t gate_ask(uint64_t a, uint64_t b, uint64_t c, struct process *p)
{
    const struct vm *vm = VCPU_OF(p->thread)->vm;
    int64_t asked = 0;

    for (uint32_t i = 0; i < vm->plan->vcpus; i++)
        if (vm->vcpus[i]->mode != VCPU_OFF) {
            sched_post(&vm->vcpus[i]->thread, EVENT_ASKED);
            asked |= 1 << i;
        }
    return asked;
}

int64_t gate_doorbell(uint64_t port, uint64_t bit, uint64_t c, struct process *p)
{
    if (port > UINT16_MAX)
        return GATE_EINVAL;
    return doorbell_set(&VCPU_OF(p->thread)->vm->bells, (uint16_t)port, bit) ? 0 : GATE_EINVAL;
}
