/* SPDX-License-Identifier: BSD-2-Clause */
/* R36: what a monitor has beyond other processes: its VM. */
#include "hypervisor/vm/monitor.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/panic.h"
#include "lib/bits.h"
#include "lib/string.h"

/* Maps a module behind the files that are there already, and says where. */
static struct monitor_file map_file(struct vm *vm, uint64_t *next, const struct phys_range *module)
{
    struct monitor_file file = {*next, phys_range_size(module)};

    process_map(&vm->process, *next, virt_of(module->start), file.size, PAGING_NX);
    *next += align_up(file.size, LARGE_PAGE);
    return file;
}

static void fill_info(struct vm *vm, const struct phys_range *files)
{
    struct monitor_info *info = arena_alloc(PAGE_SIZE);
    uint64_t next = MONITOR_FILES;

    info->vcpus = vm->plan->vcpus;
    info->memory = vm->plan->memory;
    info->xcr0 = vm->vcpus[0]->resident.xcr0_all;
    info->xss = vm_msr_features() & MSR_FEATURE_CET ? XSS_CET : 0;
    info->rdtscp = control_has(&vmx.controls, CONTROL_RDTSCP);
    info->invpcid = control_has(&vmx.controls, CONTROL_INVPCID);
    info->pks = (vm_msr_features() & MSR_FEATURE_PKS) != 0;
    info->tsc_exact = tsc_is_exact();
    rtc_read(info->rtc, MONITOR_RTC_REGISTERS, &info->rtc_tsc);
    memcpy(info->on, vm->plan->on, sizeof(info->on));
    memcpy(info->cmdline, vm->plan->cmdline, sizeof(info->cmdline));
    info->kernel = map_file(vm, &next, &files[vm->plan->kernel]);
    if (vm->plan->initrd != PLAN_NO_FILE)
        info->initrd = map_file(vm, &next, &files[vm->plan->initrd]);
    process_map(&vm->process, MONITOR_INFO, info, PAGE_SIZE, PAGING_NX);
}

void monitor_create(struct vm *vm, const struct phys_range *image, const struct phys_range *files)
{
    struct vcpu *first = vm->vcpus[0];

    process_load(&vm->process, image);
    fill_info(vm, files);
    vm->cpuid_page = arena_alloc(PAGE_SIZE);
    process_map(&vm->process, MONITOR_CPUID, vm->cpuid_page, PAGE_SIZE, PAGING_W | PAGING_NX);
    for (uint32_t i = 0; i < vm->plan->vcpus; i++)
        process_map(&vm->process, MONITOR_EXIT + i * PAGE_SIZE, vm->vcpus[i]->page, PAGE_SIZE,
                    PAGING_W | PAGING_NX);
    for (uint32_t i = 0; i < vm->extent_count; i++) {
        const struct process_extent *e = &vm->extents[i];
        ASSERT(
            paging_map(vm->process.root, MONITOR_MEMORY + e->gpa, e->physical, e->size,
                       PAGING_W | PAGING_U | PAGING_NX | (vm->plan->snapshot ? PAGING_SMALL : 0)));
    }
    first->mode = vm->plan->waits ? VCPU_PAUSED : VCPU_IN_MONITOR; /* paused: VCPU_IN_MONITOR */
    sched_wake(&first->thread);
}
