/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/process/service.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/interrupt.h"
#include "hypervisor/cpu/pci.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/process/channel.h"
#include "hypervisor/report/log.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/sched/sched.h"
#include "lib/bits.h"
#include "lib/string.h"

/* Who faults again and again is left alone: so many at once, and then one in so many seconds. */
#define STARTS          5
#define RESTART_SECONDS 10

struct service services[PLAN_MAX_PROCESSES];
static uint32_t service_count;
void (*service_claims_cpu)(bool trusted);
static struct service *console; /* NULL: the plan has none */

static void release(struct service *s)
{
    for (uint32_t i = 0; i < s->process.info->interrupt_count; i++)
        if (s->held & EVENT_INTERRUPT(i))
            interrupt_hold(s->vectors[i], false);
    s->held = 0;
}

static int64_t take_events(struct thread *t)
{
    if (__builtin_expect(SERVICE_OF(t)->held != 0, 0))
        release(SERVICE_OF(t));
    return (int64_t)sched_take_events(t);
}

static bool can_run(const struct thread *t)
{
    const struct service *s = SERVICE_OF(t);

    return !s->ended && (!s->waiting || t->work & WORK_EVENTS);
}

static void __attribute__((noreturn)) resume(struct thread *t)
{
    struct service *s = SERVICE_OF(t);

    process_switch(&s->process, t->cpu);
    if (service_claims_cpu != NULL)
        service_claims_cpu(s->trusted);
    if (!s->waiting)
        process_resume(&s->process);
    s->waiting = false;
    sched_set_timer(t);
    process_return(&s->process, take_events(t));
}

static void __attribute__((noreturn)) fault(struct thread *t, struct trap_frame *frame)
{
    char why[PROCESS_FAULT_WORDS];

    process_fault_words(frame, why, sizeof(why));
    service_stop(SERVICE_OF(t), true, why);
}

static const struct thread_kind service_thread = {
    .can_run = can_run,
    .resume = resume,
    .fault = fault,
};

static void log_grown(void)
{
    sched_post(&console->thread, EVENT_LOG);
}

static void interrupted(void *event)
{
    struct service *s = &services[(uint64_t)event / PROCESS_INTERRUPTS];
    uint64_t n = (uint64_t)event % PROCESS_INTERRUPTS;

    /* It looks at its device when it is told; until then one more would be others' time. */
    if (s->thread.events & EVENT_INTERRUPT(n)) {
        s->held |= EVENT_INTERRUPT(n);
        interrupt_hold(s->vectors[n], true);
    }
    sched_post(&s->thread, EVENT_INTERRUPT(n));
}

/* A vector for its next interrupt. */
static uint8_t claim(struct service *s)
{
    uint64_t first = (uint64_t)(s - services) * PROCESS_INTERRUPTS;

    return interrupt_claim(interrupted, (void *)(first + s->process.info->interrupt_count));
}

static void add_interrupt(struct service *s, const struct acpi_info *acpi, uint32_t irq)
{
    struct process_info *info = s->process.info;
    uint8_t vector = claim(s);

    if (!interrupt_route_isa(vector, acpi, irq, s->process.cpu)) {
        log_line("process %s: ISA interrupt %u does not arrive: it polls", info->name, irq);
        return;
    }
    s->vectors[info->interrupt_count++] = vector;
}

/* Ports behind those of the plan; memory in windows. */
static void add_bar(struct service *s, const struct pci_bar *bar)
{
    struct process_info *info = s->process.info;
    uint32_t port = 0, window = info->window_count;

    if (bar->base == 0)
        return;
    while (port < PROCESS_PORT_RANGES && info->ports[port].count > 0)
        port++;
    if (bar->ports && port < PROCESS_PORT_RANGES) {
        info->ports[port] = (struct process_ports){(uint16_t)bar->base, (uint16_t)bar->size};
    } else if (!bar->ports && !is_aligned(bar->base, PAGE_SIZE)) {
        log_line("process %s: its device's memory at %lx begins within a page, and what else is in "
                 "it is not its own: it does not get it",
                 info->name, bar->base);
    } else if (!bar->ports && window < PROCESS_WINDOWS) {
        uint64_t size = min_u64(bar->size, PROCESS_WINDOW_STRIDE);
        if (size < PAGE_SIZE)
            log_line("process %s: its device's memory at %lx is less than a page: it gets what "
                     "else is in it, too",
                     info->name, bar->base);
        info->windows[info->window_count++].size = size;
        ASSERT(paging_map(s->process.root, PROCESS_WINDOW + window * PROCESS_WINDOW_STRIDE,
                          bar->base, align_up(size, PAGE_SIZE),
                          PAGING_U | PAGING_W | PAGING_NX | PAGING_UC));
    }
}

/* Its driver finds out by what it lacks, and says what it does about it. */
static void add_function(struct service *s)
{
    struct process_info *info = s->process.info;
    uint32_t function = pci_find(s->plan->pci_class, s->plan->pci_index);
    struct pci_bar bars[PCI_BARS];

    if (function == PCI_NONE) {
        log_line("process %s: this machine has no PCI function %u of class %06x", info->name,
                 s->plan->pci_index, s->plan->pci_class);
        return;
    }
    info->pci_id = pci_id(function);
    pci_bars(function, bars);
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (bars[i].size > 0)
            add_bar(s, &bars[i]);
    pci_enable(function);
    s->function = function;
    uint32_t address = interrupt_message_address(s->process.cpu);
    uint8_t vector = claim(s);
    if (address != 0 && pci_interrupt(function, address, vector, host_map_registers))
        s->vectors[info->interrupt_count++] = vector;
    s->trusted = s->plan->dma > 0;
    if (s->trusted)
        log_line("process %s: its device reaches all memory, no IOMMU is used: it is trusted as "
                 "the hypervisor is",
                 info->name);
}

static void add_memory(struct service *s, const struct phys_range *files)
{
    const struct plan_process *plan = s->plan;
    struct process_info *info = s->process.info;

    if (plan->file != PLAN_NO_FILE) {
        info->file_size = phys_range_size(&files[plan->file]);
        process_map(&s->process, PROCESS_FILE, virt_of(files[plan->file].start), info->file_size,
                    PAGING_NX);
    }
    if (plan->dma > 0) {
        void *area = arena_alloc(plan->dma);
        info->dma_size = plan->dma;
        info->dma_physical = phys_of(area);
        process_map(&s->process, PROCESS_DMA, area, plan->dma, PAGING_W | PAGING_NX);
    }
    if (plan->grants & PLAN_GRANT_LOG)
        process_map(&s->process, PROCESS_LOG, &log_pages.reader, sizeof(log_pages.reader),
                    PAGING_W | PAGING_NX);
    if (plan->grants & PLAN_GRANT_LOG || plan->controls != 0)
        process_map(&s->process, PROCESS_LOG + LOG_READER_SIZE, log_ring, sizeof(*log_ring),
                    PAGING_NX);
}

/* Puts it at its entry point, with the memory of a new program. */
static void start(struct service *s)
{
    s->process.info->starts++;
    process_load(&s->process, s->image);
    s->waiting = false;
    s->thread.timer = TIME_NEVER;
    take_events(&s->thread);
    /* what came for the program before was never said to be handled */
    for (uint32_t i = 0; i < s->process.info->interrupt_count; i++)
        interrupt_done(s->vectors[i]);
}

void service_create(const struct plan_process *plan, const struct phys_range *files,
                    const struct acpi_info *acpi)
{
    struct service *s = &services[service_count++];
    struct process_info *info;

    process_init(&s->process, plan->name, plan->cpu);
    s->process.service = true;
    s->process.vm = LOG_NO_VM;
    info = s->process.info;
    s->process.thread = s->process.listener = &s->thread;
    s->plan = plan;
    s->image = &files[plan->image];
    s->function = PCI_NONE;
    memcpy(info->arguments, plan->arguments, sizeof(info->arguments));
    memcpy(info->ports, plan->ports, sizeof(info->ports));
    for (uint32_t i = 0; i < plan->interrupt_count; i++)
        add_interrupt(s, acpi, plan->interrupts[i]);
    if (plan->grants & PLAN_GRANT_PCI)
        add_function(s);
    add_memory(s, files);
    sched_add(&s->thread, s->process.cpu, &service_thread, plan->budget, plan->period);
    start(s);
    sched_wake(&s->thread);
    if (plan->grants & PLAN_GRANT_LOG) {
        console = s;
        log_hand_over(log_grown);
    }
}

int64_t service_wait(struct service *s, uint64_t channels, uint64_t interrupts)
{
    for (; interrupts != 0; interrupts &= interrupts - 1)
        interrupt_done(s->vectors[__builtin_ctzll(interrupts)]);
    s->waiting = !(s->thread.work & WORK_EVENTS);
    if (s->waiting)
        sched_leave();
    channel_notify(&s->process, channels);
    if (s->waiting)
        schedule();
    return take_events(&s->thread);
}

void service_stop(struct service *s, bool fault, const char *why)
{
    bool again =
        fault && bucket_take(&s->starts, rdtsc(), tsc_khz() * 1000 * RESTART_SECONDS, STARTS);

    if (again) {
        process_log(&s->process, "stopped for a fault: %s; it is started again", why);
        start(s);
        schedule();
    }
    if (s == console)
        process_printed();
    s->ended = true;
    s->thread.timer = TIME_NEVER;
    if (s->function != PCI_NONE)
        pci_stop_master(s->function); /* before its clients take their memory for their own */
    process_end(&s->process, fault, why);
    schedule();
}
