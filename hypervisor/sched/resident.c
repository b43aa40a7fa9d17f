/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/resident.h"

#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/user/monitor.h"
#include "hypervisor/vm/vm.h"

/* SYSCALL clears in the host what Linux clears, so that FMASK need not be switched for a Linux guest (R32). */
#define HOST_FMASK 0x257fd5

uint64_t msr_hardware_read(uint32_t index)
{
    return rdmsr(index);
}

void msr_hardware_write(uint32_t index, uint64_t value)
{
    wrmsr(index, value);
}

void msr_hardware_area_count(uint32_t count)
{
    vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, count);
    vmwrite(VMCS_EXIT_MSR_STORE_COUNT, count);
    vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, count);
}

void resident_init(enum msr_strategy strategy)
{
    const struct msr_host host = {
        .star = (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32,
        .lstar = (uint64_t)monitor_gate_syscall,
        .fmask = HOST_FMASK,
        .efer = rdmsr(MSR_IA32_EFER),
        .pat = rdmsr(MSR_IA32_PAT),
        .has_tsc_aux = cpuid(0x80000001, 0).edx & CPUID_80000001_EDX_RDTSCP,
    };
    const struct msr_controls controls = {
        .efer = control_has(&vmx.controls, CONTROL_LOAD_GUEST_EFER),
        .pat = control_has(&vmx.controls, CONTROL_LOAD_GUEST_PAT),
    };

    msr_switch_init(&this_cpu()->msr, strategy, &host, &controls);
    if (msr_switch_uses_sysenter()) {
        wrmsr(MSR_IA32_SYSENTER_CS, SELECTOR_KERNEL_CODE);
        wrmsr(MSR_IA32_SYSENTER_ESP, (uint64_t)&boot_cpu + CPU_BLOCK_SIZE);
        wrmsr(MSR_IA32_SYSENTER_EIP, (uint64_t)monitor_gate_sysenter);
    }
}

static void save_owner(struct vcpu *owner)
{
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

static void change_owner(struct cpu *cpu, struct vcpu *v)
{
    if (cpu->resident_owner != NULL)
        save_owner(cpu->resident_owner);
    load_owner(v);
    cpu->resident_owner = v;
}

/* A monitor's fault changes CR2: the guest's is saved before any monitor runs, and before another guest does. */
static void save_cr2(struct cpu *cpu)
{
    if (cpu->resident_owner != NULL && cpu->cr2_live)
        cpu->resident_owner->cr2 = read_cr2();
    cpu->cr2_live = false;
}

void resident_to_guest(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_owner != v) {
        save_cr2(cpu);
        change_owner(cpu, v);
    }
    msr_switch_to_guest(&cpu->msr, &v->msr);
    if (!cpu->cr2_live)
        write_cr2(v->cr2);
    cpu->cr2_live = true;
}

void resident_to_monitor(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    save_cr2(cpu);
    msr_switch_to_monitor(&cpu->msr, &v->msr);
}

void resident_forget(struct vcpu *v)
{
    struct cpu *cpu = this_cpu();

    if (cpu->resident_owner == v)
        cpu->resident_owner = NULL;
    msr_switch_reset(&cpu->msr, &v->msr);
}
