/* SPDX-License-Identifier: BSD-2-Clause */
/* R25, R36: a VM's memory, EPT and vCPUs. */
#include "hypervisor/vm/vm.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/apic_virtual.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/snapshot.h"
#include "lib/bits.h"

struct vm vms[PLAN_MAX_VMS];
static uint32_t vm_count;
struct vm_options vm_options;

/* The largest page alignment that helps the EPT with a piece of this size. */
static uint64_t take_piece(struct phys_map *free, uint64_t size)
{
    uint64_t hpa = PHYS_MAP_NONE;

    if (size >= HUGE_PAGE)
        hpa = phys_map_take(free, size, HUGE_PAGE, UINT64_MAX);
    if (hpa == PHYS_MAP_NONE)
        hpa = phys_map_take(free, size, LARGE_PAGE, UINT64_MAX);
    return hpa;
}

/* Fills guest-physical [gpa, gpa + size) from as few pieces of free memory as it takes. */
static bool add_memory(struct vm *vm, struct phys_map *free, uint64_t gpa, uint64_t size)
{
    while (size > 0) {
        uint64_t piece = min_u64(size, phys_map_largest(free, LARGE_PAGE));
        if (piece == 0 || vm->extent_count == PROCESS_EXTENTS)
            return false;
        uint64_t hpa = take_piece(free, piece);
        if (hpa == PHYS_MAP_NONE)
            return false;
        vm->extents[vm->extent_count++] = (struct process_extent){gpa, hpa, piece};
        gpa += piece;
        size -= piece;
    }
    return true;
}

/* R35: what an earlier run's VM left there. */
static void clear_memory(const struct vm *vm)
{
    for (uint32_t i = 0; i < vm->extent_count; i++)
        window_clear(vm->extents[i].physical, vm->extents[i].size);
}

static void create_memory(struct vm *vm, struct phys_map *free)
{
    uint64_t low = min_u64(vm->plan->memory, PLAN_HOLE_START);

    if (!add_memory(vm, free, 0, low) ||
        !add_memory(vm, free, PLAN_HOLE_END, vm->plan->memory - low))
        stopped("vm %s: this machine has no %lu MiB of free memory left: give the VM less",
                vm->plan->name, vm->plan->memory >> 20);
    if (vm->plan->snapshot)
        snapshot_create(vm, free);
    if (!vm_options.keep_memory)
        clear_memory(vm);
    ept_init(&vm->ept, arena_alloc(PAGE_SIZE), &vmx.controls, mitigation_is_on(MITIGATION_ITLB),
             vm->plan->snapshot);
    for (uint32_t i = 0; i < vm->extent_count; i++) {
        const struct process_extent *e = &vm->extents[i];
        ASSERT(ept_map(&vm->ept, e->gpa, e->physical, e->size));
    }
}

/* All of it or nothing: shadow stacks and branch tracking, with their components of XSAVES. */
static bool has_cet(struct cpuid_result features)
{
    return control_has(&vmx.controls, CONTROL_LOAD_GUEST_CET) &&
           features.ecx & CPUID_7_ECX_CET_SS && features.edx & CPUID_7_EDX_CET_IBT &&
           cpuid(0xd, 1).eax & CPUID_D_1_EAX_XSAVES && (cpuid(0xd, 1).ecx & XSS_CET) == XSS_CET;
}

uint32_t vm_msr_features(void)
{
    struct cpuid_result r = cpuid(7, 0);
    bool load_pkrs = control_has(&vmx.controls, CONTROL_LOAD_GUEST_PKRS);

    return CPUID_MSR_FEATURES | (r.edx & CPUID_7_EDX_SPEC_CTRL ? MSR_FEATURE_SPEC_CTRL : 0) |
           (r.edx & CPUID_7_EDX_L1D_FLUSH ? MSR_FEATURE_FLUSH_CMD : 0) |
           (r.edx & CPUID_7_EDX_ARCH_CAPABILITIES ? MSR_FEATURE_ARCH_CAPABILITIES : 0) |
           (r.ecx & CPUID_7_ECX_PKS && load_pkrs ? MSR_FEATURE_PKS : 0) |
           (has_cet(r) ? MSR_FEATURE_CET | MSR_FEATURE_XSAVES : 0) |
           (control_has(&vmx.controls, CONTROL_RDTSCP) ? MSR_FEATURE_RDTSCP : 0) |
           (tsc_is_exact() ? MSR_FEATURE_KVM_CLOCK : 0);
}

void vm_create(const struct plan_vm *plan, struct phys_map *free)
{
    struct vm *vm = &vms[vm_count];

    vm->plan = plan;
    doorbells_init(&vm->bells);
    create_memory(vm, free);
    process_init(&vm->process, plan->name, plan->cpus[0]);
    vm->process.vm = (uint8_t)vm_count++;
    for (uint32_t i = 0; i < plan->vcpus; i++) {
        vm->vcpus[i] = vcpu_create(vm, i);
        vm->lapics[i] = &vm->vcpus[i]->lapic;
    }
    process_await(&vm->process, "VMs");
    vm->process.thread = vm->process.listener = &vm->vcpus[0]->thread;
    agree_begin(&vm->agree);
    vm->process.extents = vm->extents;
    vm->process.extent_count = vm->extent_count;
}

uint64_t vm_translate(const struct vm *vm, uint64_t gpa)
{
    for (uint32_t i = 0; i < vm->extent_count; i++)
        if (gpa - vm->extents[i].gpa < vm->extents[i].size)
            return vm->extents[i].physical + (gpa - vm->extents[i].gpa);
    return PHYS_MAP_NONE;
}

/* For the option counters: one line for each kind of exit, and what the resident state cost. */
static void print_counters(const struct vm *vm, const struct vcpu *v)
{
    log_line("vm %s: stops at TSC %lu; exits:", vm->plan->name, rdtsc());
    for (uint32_t i = 0; i < EXIT_REASON_COUNT; i++)
        if (v->exits[i] != 0)
            log_line("  %10lu %s", v->exits[i], exit_reason_name(i));
    for (const struct msr_row *row = msr_rows; row < msr_rows + MSR_ROW_COUNT; row++)
        if (v->msr_exits[row->slot] != 0)
            log_line("  %10lu RDMSR or WRMSR of %s", v->msr_exits[row->slot], row->name);
    log_line("vm %s: resident MSRs: %lu WRMSR, %lu RDMSR, %lu left as they were", vm->plan->name,
             v->msr.counters.writes, v->msr.counters.reads, v->msr.counters.skipped);
}

void vm_stop(struct vm *vm, bool fault, const char *why)
{
    vcpus_stop(vm);
    for (uint32_t i = 0; vm_options.counters && i < vm->plan->vcpus; i++)
        print_counters(vm, vm->vcpus[i]);
    process_end(&vm->process, fault, why);
}
