/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/trace.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/exit.h"

static PER_CPU struct trace_ring *ring;
static PER_CPU struct trace_record *open; /* at the tail: complete when it is closed; or NULL */

#define RECORDS    (TRACE_SIZE / sizeof(struct trace_record))
#define LAST_EXITS 20 /* that a panic tells */

/* What was in the places of ours; the same for all vCPUs. */
static void __attribute__((noreturn)) (*way_in)(struct vcpu *v);
static uint64_t way_out;

/* What led to a panic: the last exits on this CPU of those who are traced, the last one first. */
static void tell_last_exits(uint64_t rbp)
{
    const struct trace_ring *r = THIS_CPU(ring);
    uint64_t end = r->tail / sizeof(struct trace_record) + (THIS_CPU(open) != NULL);
    unsigned told = 0;

    for (uint64_t i = 1; i <= min_u64(end, RECORDS) && told < LAST_EXITS; i++) {
        const struct trace_record *record = (const void *)r->bytes;
        record += (end - i) % RECORDS;
        if (TRACE_KIND(record->what) != TRACE_EXIT)
            continue;
        if (told++ == 0)
            log_line("the last exits that were traced here, the last one first:");
        log_line("  at %lu of vm %u vcpu %u at %lx: %s, %x", record->tsc, TRACE_VM(record->what),
                 TRACE_NUMBER(record->what), record->value,
                 exit_reason_name(TRACE_REASON(record->what)), record->detail);
    }
}

void trace_create(struct process *p)
{
    panic_tell[PANIC_TRACE] = tell_last_exits;
    for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (cpu_block(cpu) == NULL)
            continue;
        struct trace_ring *r = CPU_OF(cpu_block(cpu), ring) = arena_alloc(sizeof(*r));
        r->cpu = cpu;
        process_map(p, PROCESS_TRACE + p->info->trace_rings++ * PROCESS_TRACE_STRIDE, r, sizeof(*r),
                    PAGING_NX);
    }
}

/* Who reads on another CPU finds all complete that is before the tail: stores are seen in their
 * order. */
static void close(struct cpu_block *cpu)
{
    struct trace_ring *r = CPU_OF(cpu, ring);

    CPU_OF(cpu, open) = NULL;
    __atomic_signal_fence(__ATOMIC_RELEASE);
    r->tail += sizeof(struct trace_record);
}

/* It is closed when the next one comes, or earlier. */
static inline struct trace_record *put(const struct thread *t, uint64_t tsc, uint32_t what,
                                       uint64_t value, uint32_t detail)
{
    if (CPU_OF(t->cpu, open) != NULL)
        close(t->cpu);
    struct trace_ring *r = CPU_OF(t->cpu, ring);
    struct trace_record *record = (void *)(r->bytes + r->tail % TRACE_SIZE);
    *record = (struct trace_record){tsc, value, detail, t->trace | what, 0, 0};
    return CPU_OF(t->cpu, open) = record;
}

static inline uint32_t detail(const struct vcpu *v, uint64_t reason)
{
    if (reason <= EXIT_REASON_EXTERNAL_INTERRUPT)
        return (uint32_t)vmread(VMCS_EXIT_INTERRUPTION_INFO);
    if (reason == EXIT_REASON_EPT_VIOLATION)
        return (uint32_t)vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
    if (reason == EXIT_REASON_RDMSR || reason == EXIT_REASON_WRMSR)
        return (uint32_t)v->gpr[GPR_RCX];
    return (uint32_t)vmread(VMCS_EXIT_QUALIFICATION);
}

struct vcpu *trace_dispatch(struct vcpu *v)
{
    uint64_t tsc = rdtsc(), reason = vmread(VMCS_EXIT_REASON);

    put(&v->thread, tsc, TRACE_EXIT | (uint8_t)reason, vmread(VMCS_GUEST_RIP), detail(v, reason));
    if (__builtin_expect(msr_switch_each_exit(), 0))
        exit_dispatch_eager(v);
    else
        exit_dispatch(v);
    struct trace_record *r = CPU_OF(VCPU_CPU(v), open);
    r->ticks = (uint32_t)(rdtsc() - r->tsc);
    r->event = (uint32_t)vmread(VMCS_ENTRY_INTERRUPTION_INFO);
    close(VCPU_CPU(v));
    return v;
}

static void __attribute__((noreturn)) enter(struct vcpu *v)
{
    uint64_t accesses = v->msr.counters.writes + v->msr.counters.reads;

    put(&v->thread, rdtsc(), TRACE_ENTRY, accesses, 0)->event =
        (uint32_t)vmread(VMCS_ENTRY_INTERRUPTION_INFO);
    way_in(v);
}

void trace_monitor(const struct vcpu *v)
{
    put(&v->thread, rdtsc(), TRACE_MONITOR, v->thread.events, v->exit_kind);
}

static void __attribute__((noreturn)) resume(struct thread *t)
{
    put(t, t->turn_start, TRACE_TURN, t->ran, 0);
    close(t->cpu); /* what comes next may come in another trace */
    t->kind->resume(t);
}

void trace_thread(struct thread *t, uint32_t who, bool on)
{
    t->trace = who;
    t->resume = on ? resume : t->kind->resume;
}

void trace_vcpu(struct vcpu *v, bool on)
{
    trace_thread(&v->thread, TRACE_WHO(v->vm->process.vm, v->lapic.id), on);
    if (CPU_OF(VCPU_CPU(v), open) != NULL)
        close(VCPU_CPU(v));
    vcpu_load(v);
    if (v->enter != enter) {
        way_in = v->enter;
        way_out = vmread(VMCS_HOST_RIP);
    }
    v->enter = on ? enter : way_in;
    vmwrite(VMCS_HOST_RIP,
            on ? vmx_exits[VMX_EXIT_TRACED + mitigation_is_on(MITIGATION_BHB)] : way_out);
    v->thread.work = (v->thread.work & ~WORK_TRACED) | (on ? WORK_TRACED : 0);
}
