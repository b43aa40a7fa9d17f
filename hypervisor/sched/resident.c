/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/resident.h"

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/lib/bits.h"
#include "hypervisor/user/monitor.h"
#include "hypervisor/vm/vm.h"

/* SYSCALL clears in the host what Linux clears, so that FMASK need not be switched for a Linux guest. */
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

/* R32: lists the MSRs in which the guest's value differs from the host's; the others need no switching. */
static void list_differences(struct vcpu *v)
{
    v->swap_count = 0;
    for (unsigned i = 0; i < host_value_count; i++) {
        const struct host_value *h = &host_values[i];
        uint64_t guest = v->msrs.value[h->row->slot];
        if (guest != h->value)
            v->swap[v->swap_count++] = (struct resident_swap){h->row->first, guest, h->value};
    }
}

void resident_init(void)
{
    bool rdtscp = cpuid(0x80000001, 0).edx & CPUID_80000001_EDX_RDTSCP;

    host_value_count = rdtscp ? ARRAY_SIZE(host_values) : ARRAY_SIZE(host_values) - 1;
    for (unsigned i = 0; i < host_value_count; i++)
        wrmsr(host_values[i].row->first, host_values[i].value);
    this_cpu()->resident_host = true;
}

static void save_owner(const struct cpu *cpu, struct vcpu *owner)
{
    if (!cpu->resident_host) /* otherwise a monitor has run since, and may have changed it */
        owner->cr2 = read_cr2();
    owner->msrs.value[MSR_SLOT_KERNEL_GS_BASE] = rdmsr(MSR_IA32_KERNEL_GS_BASE); /* R34 */
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

/* What the CPU holds in a resident MSR: the host's value, the owner's, or nobody knows (false). */
static bool held_value(const struct cpu *cpu, const struct msr_row *row, uint64_t *value)
{
    for (unsigned i = 0; cpu->resident_host && i < host_value_count; i++)
        if (host_values[i].row == row) {
            *value = host_values[i].value;
            return true;
        }
    if (cpu->resident_owner != NULL)
        *value = cpu->resident_owner->msrs.value[row->slot];
    return cpu->resident_owner != NULL;
}

static void load_msrs(const struct cpu *cpu, struct vcpu *v)
{
    const struct msr_row *rows[MSR_RESIDENT_MAX];
    size_t count = msr_resident(v->msrs.features, rows);

    for (size_t i = 0; i < count; i++) {
        uint64_t value = v->msrs.value[rows[i]->slot], held;
        if (held_value(cpu, rows[i], &held) && held == value) {
            v->counters.skipped++;
            continue;
        }
        wrmsr(rows[i]->first, value);
        v->counters.writes++;
    }
}

static void load_owner(struct vcpu *v)
{
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

static void load_host(struct vcpu *owner)
{
    for (uint32_t i = 0; i < owner->swap_count; i++)
        wrmsr(owner->swap[i].index, owner->swap[i].host);
    owner->counters.writes += owner->swap_count;
}

static void load_guest(struct vcpu *v)
{
    for (uint32_t i = 0; i < v->swap_count; i++)
        wrmsr(v->swap[i].index, v->swap[i].guest);
    v->counters.writes += v->swap_count;
}

static void change_owner(struct cpu *cpu, struct vcpu *v)
{
    if (cpu->resident_owner != NULL)
        save_owner(cpu, cpu->resident_owner);
    load_msrs(cpu, v);
    load_owner(v);
    cpu->resident_owner = v;
}

void resident_to_guest(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_owner != v)
        change_owner(cpu, v);
    else if (cpu->resident_host)
        load_guest(v);
    cpu->resident_host = false;
    if (read_cr2() != v->cr2)
        write_cr2(v->cr2);
}

void resident_to_monitor(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_host)
        return;
    cpu->resident_owner->cr2 = read_cr2();
    load_host(cpu->resident_owner);
    cpu->resident_host = true;
}

void resident_written(struct vcpu *v, const struct msr_row *row)
{
    wrmsr(row->first, v->msrs.value[row->slot]);
    v->counters.writes++;
    list_differences(v);
}

void resident_forget(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_owner == v)
        cpu->resident_owner = NULL;
    list_differences(v);
}
