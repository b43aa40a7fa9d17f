/* SPDX-License-Identifier: BSD-2-Clause */
/* One VM seen and steered by a process that the plan lets do so. */
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/gate/gate.h"
#include "hypervisor/process/service.h"
#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/snapshot.h"
#include "hypervisor/vm/trace.h"
#include "lib/bits.h"
#include "lib/string.h"

_Static_assert(EXIT_REASON_COUNT <= GATE_EXIT_REASONS, "each has its counter");
_Static_assert(sizeof(struct gate_vm) <= PROCESS_TEXT_SIZE, "it is one page");

static void add(struct gate_vm *is, const struct vcpu *v)
{
    is->used.time += sched_ran(&v->thread);
    is->used.msr_writes += v->msr.counters.writes;
    is->used.msr_reads += v->msr.counters.reads;
    is->used.msr_skipped += v->msr.counters.skipped;
    for (unsigned reason = 0; reason < EXIT_REASON_COUNT; reason++)
        is->exits[reason] += v->exits[reason];
}

static int64_t look(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    enum vcpu_mode mode = vm->vcpus[0]->mode;
    struct gate_vm *is = page;

    *is = (struct gate_vm){.memory = vm->plan->memory, .vcpus = vm->plan->vcpus, .tsc = rdtsc()};
    is->state = mode == VCPU_STOPPED                         ? GATE_VM_ENDED
                : mode == VCPU_PAUSED || mode == VCPU_STANDS ? GATE_VM_PAUSED
                                                             : GATE_VM_RUNS;
    memcpy(is->name, vm->plan->name, sizeof(is->name));
    for (uint32_t i = 0; i < vm->plan->vcpus; i++)
        add(is, vm->vcpus[i]);
    return 0;
}

static int64_t pause(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    enum vcpu_mode mode = vm->vcpus[0]->mode;

    if (mode == VCPU_PAUSED || mode == VCPU_STOPPED)
        return GATE_ESTATE;
    for (uint32_t i = 0; i < vm->plan->vcpus; i++) {
        struct vcpu *v = vm->vcpus[i];
        v->paused = v->mode;
        v->mode = VCPU_PAUSED;
        sched_withdraw(&v->thread);
    }
    return 0;
}

static int64_t resume(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    if (vm->vcpus[0]->mode != VCPU_PAUSED)
        return GATE_ESTATE;
    for (uint32_t i = 0; i < vm->plan->vcpus; i++) {
        if (vm->vcpus[i]->mode == VCPU_PAUSED) /* not so before the start */
            vm->vcpus[i]->mode = vm->vcpus[i]->paused;
        sched_notify(&vm->vcpus[i]->thread);
    }
    return 0;
}

static int64_t post(struct vm *vm, uint64_t event)
{
    if (vm->vcpus[0]->mode == VCPU_STOPPED)
        return GATE_ESTATE;
    sched_post(&vm->vcpus[0]->thread, event);
    return 0;
}

static int64_t reset(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    return post(vm, EVENT_RESET);
}

static int64_t power_off(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    return post(vm, EVENT_POWER_BUTTON);
}

/* Of the vCPU the CPU has no more than the VMCS: ring 3 runs that is not trusted. */
static int64_t registers(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    struct gate_registers *is = page;

    if (!v->started)
        return GATE_ESTATE;
    vcpu_save_state(v, &is->state);
    is->state.cr2 = v->cr2;
    memcpy(is->state.dr, v->resident.dr, sizeof(is->state.dr));
    is->state.dr6 = v->resident.dr6;
    is->state.dr7 = vmread(VMCS_GUEST_DR7);
    memcpy(is->vectors, v->resident.fpu, sizeof(is->vectors));
    return 0;
}

static int64_t set(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    const struct guest_state state = *(struct guest_state *)page; /* read once: it is ring 3's */

    if (v->mode != VCPU_STANDS)
        return GATE_ESTATE;
    v->halted &= state.rip == vmread(VMCS_GUEST_RIP);
    vcpu_follow_rest(v, false);
    return vcpu_change(v, &state) ? 0 : GATE_EINVAL;
}

static int64_t debug(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    int64_t result = debug_command(v, (uint8_t)argument);

    *(struct gate_stopped *)page = (struct gate_stopped){
        .why = v->mode == VCPU_STANDS ? v->debug.why
               : v->mode == VCPU_OFF  ? GATE_STOPPED_OFF
                                      : GATE_STOPPED_NOT,
        .reason = (uint32_t)vmread(VMCS_EXIT_REASON),
        .event = (uint32_t)vmread(VMCS_EXIT_INTERRUPTION_INFO),
        .length = (uint32_t)vmread(VMCS_EXIT_INSTRUCTION_LENGTH),
        .qualification = vmread(VMCS_EXIT_QUALIFICATION),
    };
    return result;
}

static int64_t msr(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    msr_switch_leave(&THIS_CPU(vm_cpu).msr, &v->msr);
    return vcpu_read_msr(v, (uint32_t)argument, page) ? 0 : GATE_EINVAL;
}

static int64_t poke(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    uint64_t gpa = argument & 0xffffffffffffff, hpa = vm_translate(vm, gpa);

    if (hpa == PHYS_MAP_NONE)
        return GATE_EINVAL;
    *(uint8_t *)window_open(hpa) = argument >> 56;
    window_close();
    if (vm->snapshot != NULL) /* a restore takes it back */
        *radix_entry(vm->process.root, MONITOR_MEMORY + gpa) |= ENTRY_D;
    return 0;
}

static int64_t memory(struct vm *vm, struct vcpu *v, uint64_t gpa, void *page)
{
    uint64_t hpa = vm_translate(vm, align_down(gpa, PAGE_SIZE));

    if (hpa == PHYS_MAP_NONE)
        return GATE_EINVAL;
    memcpy(page, window_open(hpa), PAGE_SIZE);
    window_close();
    return 0;
}

static int64_t trace(struct vm *vm, struct vcpu *v, uint64_t on, void *page)
{
    for (uint32_t i = 0; i < vm->plan->vcpus; i++)
        trace_vcpu(vm->vcpus[i], on);
    return 0;
}

static int64_t snapshot(struct vm *vm, struct vcpu *v, uint64_t argument, void *page)
{
    return snapshot_copy(vm, argument & ~GATE_SNAPSHOT_BACK, argument & GATE_SNAPSHOT_BACK);
}

typedef int64_t control(struct vm *, struct vcpu *, uint64_t argument, void *page);

static control *const controls[GATE_CONTROL_COUNT] = {
    [GATE_CONTROL_LOOK] = look,         [GATE_CONTROL_POWER_OFF] = power_off,
    [GATE_CONTROL_PAUSE] = pause,       [GATE_CONTROL_REGISTERS] = registers,
    [GATE_CONTROL_RESUME] = resume,     [GATE_CONTROL_MEMORY] = memory,
    [GATE_CONTROL_RESET] = reset,       [GATE_CONTROL_DEBUG] = debug,
    [GATE_CONTROL_POKE] = poke,         [GATE_CONTROL_MSR] = msr,
    [GATE_CONTROL_SET] = set,           [GATE_CONTROL_TRACE] = trace,
    [GATE_CONTROL_SNAPSHOT] = snapshot,
};

static int64_t look_at_process(uint64_t number, void *page)
{
    struct gate_process *is = page;

    *is = (struct gate_process){.tsc = rdtsc(), .time = sched_ran(&services[number].thread)};
    memcpy(is->name, services[number].plan->name, sizeof(is->name));
    return 0;
}

/* When a process runs tells of each VM that it works for: none may be left out of `may`. */
static int64_t trace_process(uint64_t number, bool on, uint32_t may)
{
    for (uint32_t i = 0; i < PLAN_MAX_VMS; i++)
        if (vms[i].plan != NULL && !(may & BIT(i)))
            return GATE_EINVAL;
    trace_thread(&services[number].thread, TRACE_WHO(TRACE_PROCESS, number), on);
    return 0;
}

int64_t gate_control(uint64_t vm, uint64_t what, uint64_t argument, struct process *p)
{
    uint32_t may = SERVICE_OF(p->thread)->plan->controls;
    uint64_t vcpu = what >= GATE_CONTROL_REGISTERS ? GATE_CONTROL_VCPU(argument) : 0;

    if (may == 0)
        return GATE_ENOSYS;
    if (what == GATE_CONTROL_PROCESS || what == GATE_CONTROL_TRACE_PROCESS) {
        if (vm >= PLAN_MAX_PROCESSES || services[vm].plan == NULL)
            return GATE_EINVAL;
        return what == GATE_CONTROL_PROCESS ? look_at_process(vm, p->text)
                                            : trace_process(vm, argument, may);
    }
    if (vm >= PLAN_MAX_VMS || !(may & BIT(vm)) || what >= GATE_CONTROL_COUNT ||
        vcpu >= vms[vm].plan->vcpus)
        return GATE_EINVAL;
    vcpu_load(vms[vm].vcpus[vcpu]);
    return controls[what](&vms[vm], vms[vm].vcpus[vcpu], argument, p->text);
}
