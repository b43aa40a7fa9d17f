/* SPDX-License-Identifier: BSD-2-Clause */
/* R36: what a process's address space holds, and nothing else. */
#include "hypervisor/process/process.h"

#include "abi/gate.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/sched/sched.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

static PER_CPU struct process *current_process; /* whose ring 3 runs, or has run last */
static PER_CPU struct process *port_owner;      /* whose ports the TSS allows; NULL: nobody's */

/* Read by entry.S: ring 3 enters by SYSENTER, and is left to by SYSEXIT. */
bool process_sysenter;

void process_map(struct process *p, uint64_t virt, void *memory, uint64_t size, uint64_t flags)
{
    if (flags & ENTRY_RW) {
        ASSERT(p->own_count < PROCESS_OWN);
        p->own[p->own_count++] = (struct process_memory){memory, size};
    }
    ASSERT(paging_map(p->root, virt, phys_of(memory), align_up(size, PAGE_SIZE), flags | PAGING_U));
}

struct cpu_block *process_home(const char *name, uint32_t cpu)
{
    if (cpu_block(cpu) == NULL)
        stopped("plan: %s is to run on CPU %u, which this machine does not have, or cannot use",
                name, cpu);
    return cpu_block(cpu);
}

void process_init(struct process *p, const char *name, uint32_t cpu)
{
    struct process_info *info = arena_alloc(sizeof(*info));
    struct process **self = arena_alloc(PAGE_SIZE);

    p->cpu = process_home(name, cpu);
    p->stack = p->cpu + 1;
    p->root = host_new_root();
    p->cr3 = phys_of(p->root);
    *self = p;
    ASSERT(paging_map(p->root, PROCESS_SELF, phys_of(self), PAGE_SIZE, PAGING_NX));
    p->text = arena_alloc(PROCESS_TEXT_SIZE);
    p->info = info;
    info->version = GATE_VERSION;
    info->gate = process_sysenter ? GATE_SYSENTER : GATE_SYSCALL;
    info->tsc_khz = tsc_khz();
    memcpy(info->name, name, sizeof(info->name));
    process_map(p, PROCESS_INFO, info, sizeof(*info), PAGING_NX);
    process_map(p, PROCESS_TEXT, p->text, PROCESS_TEXT_SIZE, PAGING_W | PAGING_NX);
    process_map(p, PROCESS_STACK - PROCESS_STACK_SIZE, arena_alloc(PROCESS_STACK_SIZE),
                PROCESS_STACK_SIZE, PAGING_W | PAGING_NX);
}

static void set_ports(const struct process *p, bool allow)
{
    for (uint32_t i = 0; i < PROCESS_PORT_RANGES; i++)
        tss_allow(&THIS_CPU(cpu_tss), p->info->ports[i].first, p->info->ports[i].count, allow);
}

/* The few who have ports have them while they run. The bits stay behind the TSS's end for the
 * others, until somebody else has ports. */
static void __attribute__((noinline)) give_ports(struct process *p)
{
    struct process *had = THIS_CPU(port_owner);

    if (had != p && had != NULL)
        set_ports(had, false);
    if (had != p)
        set_ports(p, true);
    THIS_CPU(port_owner) = p;
    THIS_CPU(cpu_tss).io_map = TSS_IO_MAP;
    gdt_reload_task(&THIS_CPU(cpu_gdt));
}

void process_switch(struct process *p, struct cpu_block *cpu)
{
    if (CPU_OF(cpu, current_process) == p) /* nor has another one's guest run */
        return;
    /* R37: also before a guest, whose exit loads CR3 but, with VPIDs, drops no translation of
     * another monitor's. */
    if (read_cr3() != p->cr3)
        write_cr3(p->cr3);
    clear_segments(); /* its selectors are the other one's */
    CPU_OF(cpu, current_process) = p;
    CPU_OF(cpu, cpu_tss).rsp[0] = (uint64_t)(&p->user_frame + 1);
    CPU_OF(cpu, cpu_tss).io_map = TSS_NO_PORTS;
    if (p->info->ports[0].count != 0)
        give_ports(p);
}

void process_resume(struct process *p)
{
    sched_set_timer(p->thread);
    trap_return(&p->user_frame);
}

void process_fault_words(const struct trap_frame *frame, char *text, size_t size)
{
    format(text, size, "%s at %lx, error code %lx, address %lx", exception_name(frame->vector),
           frame->rip, frame->error_code, frame->vector == VECTOR_PF ? read_cr2() : 0);
}

/* An interrupt, or an exception, which is the kind's business. */
void trap_in_ring3(struct trap_frame *frame)
{
    struct thread *t = THIS_CPU(sched).running;

    if (frame->vector < VECTOR_FIRST_INTERRUPT)
        t->kind->fault(t, frame);
    interrupt_handle((uint8_t)frame->vector);
    if (THIS_CPU(sched).next_event <= rdtsc())
        sched_expire(rdtsc());
    if (t->work & WORK_SCHEDULE)
        schedule();
    sched_set_timer(t);
    trap_return(frame);
}
