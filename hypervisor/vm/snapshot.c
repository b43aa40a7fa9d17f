/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/snapshot.h"

#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/events.h"
#include "lib/string.h"

/* What an entry of the root maps: that of the arena is in each address space. */
#define ROOT_ENTRY BIT(39)

/* Behind the memory. */
struct snapshot {
    bool taken;
    uint64_t tsc, behind; /* its monitor's clock, and how much behind the TSC that was */
    uint64_t field[VMCS_FIELD_COUNT];
    struct vcpu vcpu; /* with what lies behind it; then the rest, by copy_rest */
};

static struct snapshot *of(const struct vm *vm)
{
    return (struct snapshot *)(vm->snapshot + vm->plan->memory);
}

void snapshot_create(struct vm *vm, struct phys_map *free)
{
    uint64_t size = vm->plan->memory + PLAN_SNAPSHOT_STATE,
             hpa = phys_map_take(free, size, LARGE_PAGE, ROOT_ENTRY);

    if (hpa == PHYS_MAP_NONE)
        stopped("vm %s: this machine has no %lu MiB of free memory in one piece for its snapshot",
                vm->plan->name, size >> 20);
    vm->snapshot = host_map(hpa, size, PAGING_W | PAGING_NX);
    of(vm)->taken = false;
}

static uint8_t *copy(uint8_t *kept, void *is, uint64_t size, bool back)
{
    if (back)
        memcpy(is, kept, size);
    else
        memcpy(kept, is, size);
    return kept + size;
}

static void copy_piece(struct vm *vm, uint64_t gpa, bool back)
{
    uint64_t *guest = radix_entry(vm->ept.root, gpa),
             *monitor = radix_entry(vm->process.root, MONITOR_MEMORY + gpa);

    for (uint64_t i = 0; i < GATE_SNAPSHOT_PIECE / PAGE_SIZE; i++) {
        if (!((guest[i] & EPT_DIRTY) | (monitor[i] & ENTRY_D)))
            continue;
        copy(vm->snapshot + gpa + i * PAGE_SIZE, window_open(monitor[i] & ENTRY_ADDRESS), PAGE_SIZE,
             back);
        window_close();
        guest[i] &= ~vm->ept.tracked;
        monitor[i] &= ~ENTRY_D;
    }
}

/* All but memory and the VMCS. */
static void copy_rest(struct vm *vm, bool back)
{
    struct vcpu *v = vm->vcpus[0];
    uint8_t *kept = copy((uint8_t *)&of(vm)->vcpu, v, v->size, back);

    kept = copy(kept, &vm->bells, sizeof(vm->bells), back);
    kept = copy(kept, &vm->cpuid, sizeof(vm->cpuid), back);
    kept = copy(kept, &vm->agree, sizeof(vm->agree), back);
    kept = copy(kept, &vm->process.user_frame, sizeof(vm->process.user_frame), back);
    for (uint32_t i = 0; i < vm->process.own_count; i++)
        kept = copy(kept, vm->process.own[i].at, vm->process.own[i].size, back);
    ASSERT(kept <= (uint8_t *)of(vm) + PLAN_SNAPSHOT_STATE);
}

static void take(struct vm *vm)
{
    struct snapshot *s = of(vm);

    s->behind = vm->process.info->tsc_behind;
    s->tsc = rdtsc() - s->behind;
    vmcs_read_values(s->field);
    copy_rest(vm, false);
}

/* What counts goes on. */
static void keep_counters(struct vcpu *kept, const struct vcpu *v)
{
    kept->launched = v->launched;
    kept->msr.counters = v->msr.counters;
    memcpy(kept->exits, v->exits, sizeof(v->exits));
    memcpy(kept->msr_exits, v->msr_exits, sizeof(v->msr_exits));
}

/* The time of the guest and its monitor goes on from when it was. */
static void go_back(struct vm *vm)
{
    struct vcpu *v = vm->vcpus[0];
    struct thread now = v->thread;
    uint64_t *behind = &vm->process.info->tsc_behind, before = of(vm)->behind;

    *behind = rdtsc() - of(vm)->tsc;
    keep_counters(&of(vm)->vcpu, v);
    copy_rest(vm, true);
    now.events = v->thread.events;
    now.timer = v->thread.timer != TIME_NEVER ? v->thread.timer + (*behind - before) : TIME_NEVER;
    now.work |= WORK_INTERRUPT;
    v->thread = now;
    vmcs_write_values(of(vm)->field);
    v->tsc_offset -= *behind - before;
    vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
    sched_post(&v->thread, EVENT_RESTORED);
    events_deadline_changed(v, rdtsc());
}

int64_t snapshot_copy(struct vm *vm, uint64_t piece, bool back)
{
    struct vcpu *v = vm->vcpus[0];
    uint64_t pieces = vm->plan->memory / GATE_SNAPSHOT_PIECE;

    if (vm->snapshot == NULL || piece > pieces)
        return GATE_EINVAL;
    if (v->mode != VCPU_PAUSED || v->debug.on ||
        (back ? !of(vm)->taken : v->paused != VCPU_IN_GUEST))
        return GATE_ESTATE;
    of(vm)->taken = back || piece == pieces;
    msr_switch_leave(&THIS_CPU(vm_cpu).msr, &v->msr);
    if (piece < pieces)
        copy_piece(vm, piece * GATE_SNAPSHOT_PIECE, back);
    else if (back)
        go_back(vm);
    else
        take(vm);
    vmx_flush_ept(); /* or the CPU would not mark a page whose mark it has set before */
    return piece < pieces;
}
