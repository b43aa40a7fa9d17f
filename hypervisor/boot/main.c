/* SPDX-License-Identifier: BSD-2-Clause */
/* From the boot loader's hand-over to the first monitor, in numbered stages. */
#include "hypervisor/boot/multiboot.h"
#include "hypervisor/boot/options.h"
#include "hypervisor/boot/plan.h"
#include "hypervisor/cpu/acpi.h"
#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/cpu/mtrr.h"
#include "hypervisor/cpu/pci.h"
#include "hypervisor/cpu/trap.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/process/channel.h"
#include "hypervisor/process/service.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/report/serial.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/monitor.h"
#include "hypervisor/vm/resident.h"
#include "hypervisor/vm/trace.h"
#include "hypervisor/vm/vm.h"
#include "hypervisor/vmx/vmx.h"
#include "lib/bits.h"
#include "lib/image.h"

/* The arena: fixed, and for each VM its tables and pages; likewise for processes and channels;
 * programs and DMA areas; a page of tables for each 2 MiB without large pages. */
#define ARENA_BASE_SIZE    0x200000ULL
#define ARENA_VM_SIZE      0x200000ULL
#define ARENA_VCPU_SIZE    0x10000ULL
#define ARENA_PROCESS_SIZE 0x100000ULL
#define ARENA_CHANNEL_SIZE 0x8000ULL   /* beside its pages */
#define LOW_MEMORY         0x100000ULL /* left to the firmware */
#define BOOT_TABLES_LIMIT  0x100000000ULL

void __attribute__((noreturn)) boot_main(uint64_t information, uint64_t image);

extern const char image_start[], image_end[];

static struct boot_info info;
static struct acpi_info acpi;
static const struct phys_range *const files = &info.modules[PLAN_MODULE_FIRST_FILE];
static uint64_t start_page; /* where other CPUs start */
static bool has_vms, keeps_log;

static void stage(const char *text)
{
    static int number;

    log_line("%d %s", ++number, text);
}

/* The boot tables show the first 4 GiB at PHYS_OFFSET. */
static const void *map_boot(uint64_t phys, uint64_t size)
{
    return phys < BOOT_TABLES_LIMIT && size <= BOOT_TABLES_LIMIT - phys ? virt_of(phys) : NULL;
}

/* Takes a range that is in use out of the free memory, whole pages of it. */
static void reserve(struct phys_range r)
{
    if (r.end > r.start &&
        !phys_map_remove(&info.free, align_down(r.start, PAGE_SIZE), align_up(r.end, PAGE_SIZE)))
        stopped("the memory map has too many pieces");
}

static void read_boot_information(uint64_t information)
{
    const char *error = multiboot_read(virt_of(information), information, &info);

    if (error != NULL)
        stopped("boot information: %s", error);
    const char *word = options_parse(info.cmdline);
    if (word != NULL)
        stopped("the hypervisor's command line: '%s' is not an option that it knows; see "
                "lintel(1), HYPERVISOR OPTIONS",
                word);
    if (options.stop_masters)
        log_line("bus mastering is switched off: %u devices had it", pci_stop_masters());
    acpi_read(&info.rsdp, map_boot, &acpi);
    /* The others would go on in the firmware's code, in memory that may be a guest's then. */
    if (acpi.cpu_count > CPUS_MAX)
        stopped("this machine has %u CPUs, and %u at most can be taken over: switch some off in "
                "the firmware's setup",
                acpi.cpu_count, CPUS_MAX);
    panic_tell[PANIC_CALLS] = backtrace_tell;
}

/* R7; and a guest's memory would be as slow as a device. */
static void keep_write_back(void)
{
    static struct mtrrs mtrrs;
    uint64_t before = phys_map_size(&info.free);

    mtrr_read(&mtrrs);
    if (!mtrr_keep_write_back(&mtrrs, &info.free))
        stopped("the memory map has too many pieces");
    if (phys_map_size(&info.free) != before)
        log_line("%lu KiB of memory are not used: the firmware's MTRRs do not make them write-back",
                 (before - phys_map_size(&info.free)) >> 10);
}

/* R36: whatever the hypervisor or a module uses is no guest's. */
static void reserve_memory(void)
{
    reserve((struct phys_range){phys_of(image_start), phys_of(image_end)});
    reserve(info.self);
    for (uint32_t i = 0; i < info.module_count; i++)
        reserve(info.modules[i]);
    for (const struct phys_range *r = info.free.range; r < info.free.range + info.free.count; r++)
        keeps_log |= r->start <= LOG_RING_AT && r->end >= LOG_RING_AT + sizeof(struct log_ring);
    reserve((struct phys_range){LOG_RING_AT, LOG_RING_AT + sizeof(struct log_ring)});
    start_page = phys_map_take(&info.free, PAGE_SIZE, PAGE_SIZE, LOW_MEMORY);
    reserve((struct phys_range){0, LOW_MEMORY});
    keep_write_back();
}

static uint64_t arena_size(const struct plan *plan)
{
    uint64_t size = ARENA_BASE_SIZE + acpi.cpu_count * CPU_BLOCK_SIZE, mapped = 0;

    /* A table maps 2 MiB: of guest memory, unless larger pages do, whose tables, of 1 GiB each, its
     * EPT and its monitor have, but for a VM with a snapshot; and of the modules, in ring 0 and in
     * each monitor. */
    for (uint32_t i = 0; i < info.module_count; i++)
        mapped += phys_range_size(&info.modules[i]) * (plan->vm_count + plan->process_count + 1);
    for (uint32_t i = 0; i < plan->vm_count; i++) {
        bool small =
            !control_has(&vmx.controls, CONTROL_EPT_2M) || mitigation_is_on(MITIGATION_ITLB);
        mapped += (plan->vms[i].memory >> 8) + (small ? plan->vms[i].memory : 0) +
                  (plan->vms[i].snapshot ? 3 * plan->vms[i].memory : 0);
        size += plan->vms[i].vcpus * ARENA_VCPU_SIZE + ARENA_VM_SIZE +
                image_span(virt_of(info.modules[PLAN_MODULE_MONITOR].start));
    }
    for (uint32_t i = 0; i < plan->process_count; i++) {
        const struct plan_process *p = &plan->processes[i];
        size += ARENA_PROCESS_SIZE + image_span(virt_of(files[p->image].start)) + p->dma;
        mapped += p->dma;
        if (p->controls != 0)
            size += (acpi.cpu_count + 1) * sizeof(struct trace_ring);
    }
    for (uint32_t i = 0; i < plan->channel_count; i++)
        size += ARENA_CHANNEL_SIZE + plan->channels[i].size;
    return align_up(size + mapped / LARGE_PAGE * PAGE_SIZE, LARGE_PAGE);
}

/* Each start of it is made from there. */
static void map_program(const struct phys_range *module)
{
    host_map(module->start, phys_range_size(module), PAGING_NX);
}

static void create_arena(const struct plan *plan)
{
    /* VMCSs, and a VMXON region for each CPU */
    uint64_t size = arena_size(plan), frames = acpi.cpu_count + 1;
    for (uint32_t i = 0; i < plan->vm_count; i++)
        frames += plan->vms[i].vcpus;
    uint64_t start =
        phys_map_take(&info.free, size + frames * PAGE_SIZE, LARGE_PAGE, BOOT_TABLES_LIMIT);

    if (start == PHYS_MAP_NONE)
        stopped("this machine has no %lu MiB of free memory below 4 GiB for the hypervisor",
                size >> 20);
    arena_init(start, size, frames);
    cpus_allocate(acpi.cpu_count);
    host_memory_init(start, size);
    map_program(&info.modules[PLAN_MODULE_MONITOR]);
    if (keeps_log)
        log_move(host_map(LOG_RING_AT, sizeof(struct log_ring), PAGING_W | PAGING_NX));
}

/* Of an end of a channel. */
static struct process *process_of(uint32_t end)
{
    return end < PLAN_PROCESS ? &vms[end].process : &services[end - PLAN_PROCESS].process;
}

/* Whether others are what it is there for. */
static bool is_server(const struct plan *plan, uint32_t process)
{
    bool serves = plan->processes[process].grants & PLAN_GRANT_LOG;

    for (uint32_t i = 0; i < plan->channel_count; i++)
        serves |= plan->channels[i].server == (PLAN_PROCESS | process);
    return serves;
}

/* Drivers and services, and what connects them with the VMs' monitors. */
static void create_processes(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->process_count; i++) {
        const struct plan_process *p = &plan->processes[i];
        map_program(&files[p->image]);
        service_create(p, files, &acpi);
        if (p->controls != 0)
            trace_create(&services[i].process);
        log_line("process %s", p->name);
    }
    for (uint32_t i = 0; i < plan->channel_count; i++)
        channel_create(&plan->channels[i], process_of(plan->channels[i].client),
                       process_of(plan->channels[i].server));
    for (uint32_t i = 0; i < plan->process_count; i++)
        if (plan->processes[i].awaited || (plan->vm_count == 0 && !is_server(plan, i)))
            process_await(&services[i].process, "processes");
}

static void create_vms(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->vm_count; i++) {
        vm_create(&plan->vms[i], &info.free);
        monitor_create(&vms[i], &info.modules[PLAN_MODULE_MONITOR], files);
        log_line("vm %s: %lu MiB", plan->vms[i].name, plan->vms[i].memory >> 20);
    }
}

/* What each CPU does before it runs anything. */
static void take_up(void)
{
    sched_init();
    mitigations_take_up();
    if (has_vms)
        vmx_enable();
    /* without guests by SYSCALL, which each processor has in 64-bit mode, AMD's too */
    resident_init(has_vms ? (enum msr_strategy)options.strategy : MSR_SWITCH_LAZY);
}

void boot_main(uint64_t information, uint64_t image)
{
    const struct plan *plan;

    boot_tsc = rdtsc();
    serial_init();
    arena_set_image(image);
    log_line("version " LINTEL_VERSION);
    idt_init();
    cpu_init(&boot_cpu);
    machine_check_init();
    sched_no_event = events_none_due;
    cpu_kicked = sched_kicked;

    stage("boot information");
    read_boot_information(information);
    reserve_memory();
    vmx_probe();
    if (options.caps)
        vmx_print_caps(options.hidden);
    stage("plan");
    plan = plan_read(&info);
    has_vms = plan->vm_count > 0;
    if (has_vms) {
        stage("VT-x");
        vmx_choose_controls(options.hidden);
        mitigations_init(&vmx.flaws, options.unmitigated);
    }
    stage("memory");
    create_arena(plan);
    stage("time and interrupts");
    tsc_measure(acpi.pm_timer_port);
    if (!tsc_is_exact())
        log_line("the TSC's frequency is not exact: guests are not told it, and calibrate");
    apic_init(&acpi);
    stage("CPUs");
    cpus_start(&acpi, start_page, take_up);
    take_up();
    stage("virtual machines and processes");
    create_vms(plan);
    create_processes(plan);
    stage("start");
    cpus_run(schedule);
    schedule();
}
