/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/resident.h"

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/lib/bits.h"
#include "hypervisor/user/monitor.h"
#include "hypervisor/vm/vm.h"

/* What the CPU's MSRs hold, by slot: a WRMSR is only made where it changes something (R32). */
static uint64_t current[MSR_SLOT_COUNT];

/* SYSCALL clears in the host what Linux clears, so that FMASK need not be switched for a Linux guest either. */
#define HOST_FMASK 0x257fd5

/*
 * What ring 3 needs, or could read: these have a host value. The others mean nothing to ring 3, and stay until another
 * guest needs them.
 */
static const struct host_value {
    const struct msr_row *row;
    uint64_t value;
} host_values[] = {
    {&msr_rows[MSR_ROW_STAR], (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32},
    {&msr_rows[MSR_ROW_LSTAR], (uint64_t)monitor_gate_syscall},
    {&msr_rows[MSR_ROW_FMASK], HOST_FMASK},
    {&msr_rows[MSR_ROW_TSC_AUX], 0},
};

/* How many of them this CPU has: TSC_AUX, the last, comes with RDTSCP. */
static unsigned host_value_count;

static void put(struct vcpu *v, const struct msr_row *row, uint64_t value)
{
    if (current[row->slot] == value) {
        v->counters.skipped++;
        return;
    }
    current[row->slot] = value;
    wrmsr(row->first, value);
    v->counters.writes++;
}

void resident_init(void)
{
    bool rdtscp = cpuid(0x80000001, 0).edx & CPUID_80000001_EDX_RDTSCP;
    const struct msr_row *rows[MSR_RESIDENT_MAX];
    size_t count = msr_resident(MSR_FEATURE_SYSCALL | MSR_FEATURE_LM | (rdtscp ? MSR_FEATURE_RDTSCP : 0), rows);

    for (size_t i = 0; i < count; i++)
        current[rows[i]->slot] = rdmsr(rows[i]->first);
    host_value_count = rdtscp ? ARRAY_SIZE(host_values) : ARRAY_SIZE(host_values) - 1;
    for (unsigned i = 0; i < host_value_count; i++) {
        current[host_values[i].row->slot] = host_values[i].value;
        wrmsr(host_values[i].row->first, host_values[i].value);
    }
}

static void save_owner(struct vcpu *owner)
{
    /* R34 */
    current[MSR_SLOT_KERNEL_GS_BASE] = rdmsr(MSR_IA32_KERNEL_GS_BASE);
    owner->msrs.value[MSR_SLOT_KERNEL_GS_BASE] = current[MSR_SLOT_KERNEL_GS_BASE];
    owner->counters.reads++;
    clts();
    if (owner->vm->cpuid.xcr0 != 0) {
        xsetbv(0, owner->vm->cpuid.xcr0);
        xsave(owner->fpu, owner->vm->cpuid.xcr0);
    } else {
        fxsave(owner->fpu);
    }
    owner->dr[0] = read_dr0();
    owner->dr[1] = read_dr1();
    owner->dr[2] = read_dr2();
    owner->dr[3] = read_dr3();
    owner->dr6 = read_dr6();
}

static void load_owner(struct vcpu *v)
{
    const struct msr_row *rows[MSR_RESIDENT_MAX];
    size_t count = msr_resident(v->msrs.features, rows);

    for (size_t i = 0; i < count; i++)
        put(v, rows[i], v->msrs.value[rows[i]->slot]);
    clts();
    if (v->vm->cpuid.xcr0 != 0) {
        xsetbv(0, v->vm->cpuid.xcr0);
        xrstor(v->fpu, v->vm->cpuid.xcr0);
        xsetbv(0, v->xcr0);
    } else {
        fxrstor(v->fpu);
    }
    write_cr0(read_cr0() | CR0_TS);
    write_dr0(v->dr[0]);
    write_dr1(v->dr[1]);
    write_dr2(v->dr[2]);
    write_dr3(v->dr[3]);
    write_dr6(v->dr6);
}

void resident_to_guest(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_owner != v) {
        if (cpu->resident_owner != NULL)
            save_owner(cpu->resident_owner);
        cpu->resident_owner = v;
        load_owner(v);
    } else {
        for (unsigned i = 0; i < host_value_count; i++)
            put(v, host_values[i].row, v->msrs.value[host_values[i].row->slot]);
    }
    if (read_cr2() != v->cr2)
        write_cr2(v->cr2);
}

void resident_to_monitor(struct vcpu *v)
{
    struct vcpu *owner = this_cpu()->resident_owner;

    if (owner != NULL)
        owner->cr2 = read_cr2();
    for (unsigned i = 0; i < host_value_count; i++)
        put(v, host_values[i].row, host_values[i].value);
}

void resident_written(struct vcpu *v, const struct msr_row *row)
{
    put(v, row, v->msrs.value[row->slot]);
}

void resident_forget(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_owner == v)
        cpu->resident_owner = NULL;
}
