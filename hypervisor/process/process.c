/* SPDX-License-Identifier: BSD-2-Clause */
/* R36: what a process's address space holds, and nothing else. */
#include "hypervisor/process/process.h"

#include "abi/gate.h"
#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/host_memory.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/sched/sched.h"
#include "lib/bits.h"
#include "lib/string.h"

PER_CPU struct process *current_process;

/* Read by entry.S: ring 3 enters by SYSENTER, and is left to by SYSEXIT. */
bool process_sysenter;

void process_map(struct process *p, uint64_t virt, const void *memory, uint64_t size,
                 unsigned flags)
{
    ASSERT(paging_map(p->root, virt, phys_of(memory), align_up(size, PAGE_SIZE), flags | PAGING_U));
}

void process_map_module(struct process *p, uint64_t virt, const struct phys_range *module)
{
    uint64_t size = align_up(module->end - module->start, PAGE_SIZE);

    ASSERT(size == 0 || paging_map(p->root, virt, module->start, size, PAGING_U | PAGING_NX));
}

void process_init(struct process *p, const char *name)
{
    struct process_info *info = arena_alloc(sizeof(*info));

    p->stack = (uint8_t *)this_cpu() + CPU_BLOCK_SIZE;
    p->root = host_new_root();
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

void process_switch(struct process *p)
{
    uint64_t root = phys_of(p->root);

    /* R37: also before a guest, whose exit loads CR3 but, with VPIDs, drops no translation of
     * another monitor's. */
    if (read_cr3() != root)
        write_cr3(root);
    THIS_CPU(current_process) = p;
    THIS_CPU(cpu_tss).rsp[0] = (uint64_t)(&p->user_frame + 1);
}

void process_resume(struct process *p)
{
    sched_set_timer(p->thread);
    trap_return(&p->user_frame);
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
