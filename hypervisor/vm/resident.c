/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/resident.h"

#include "hypervisor/cpu/arena.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/mitigations.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/process/service.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/guest_spec_ctrl.h"
#include "hypervisor/vm/vm.h"
#include "lib/string.h"

/* SYSCALL clears in the host what Linux clears, so that FMASK need not be switched for a Linux
 * guest (R32). */
#define HOST_FMASK 0x257fd5

#define FPU_LEGACY_SIZE  512
#define FPU_CONTROL_WORD 0x37f
#define FPU_MXCSR        0x1f80
#define FPU_MXCSR_OFFSET 24

/* What the CPU holds while it is nobody's: nothing of any guest. */
static struct resident_state blank;

void msr_hardware_area_count(uint32_t count)
{
    vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, count);
    vmwrite(VMCS_EXIT_MSR_STORE_COUNT, count);
    vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, count);
}

void resident_reset(struct resident_state *state)
{
    uint64_t xcr0_all = cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE ? XCR0_SWITCHED & cpuid(0xd, 0).eax : 0;
    size_t size = xcr0_all != 0 ? cpuid(0xd, 0).ecx : FPU_LEGACY_SIZE;
    void *fpu = state->fpu != NULL ? memset(state->fpu, 0, size) : arena_alloc(size);

    *state = (struct resident_state){.fpu = fpu, .xcr0 = 1, .xcr0_all = xcr0_all, .dr6 = DR6_RESET};
    *(uint16_t *)fpu = FPU_CONTROL_WORD;
    *(uint32_t *)((uint8_t *)fpu + FPU_MXCSR_OFFSET) = FPU_MXCSR;
}

static inline void save_state(struct resident_state *s)
{
    if (s->xcr0_all != 0)
        xsave(s->fpu, s->xcr0_all);
    else
        fxsave(s->fpu);
    read_breakpoints(s->dr);
    s->dr6 = read_dr6();
}

static inline void load_state(const struct resident_state *s)
{
    if (s->xcr0_all != 0) {
        xrstor(s->fpu, s->xcr0_all);
        xsetbv(0, s->xcr0);
    } else {
        fxrstor(s->fpu);
    }
    write_cr0(read_cr0() | CR0_TS);
    write_dr0(s->dr[0]);
    write_dr1(s->dr[1]);
    write_dr2(s->dr[2]);
    write_dr3(s->dr[3]);
    write_dr6(s->dr6);
}

/* What the CPU holds is `from`, or of no use: NULL. What a guest may have of XCR0 is the same for
 * all. */
static void exchange(struct resident_state *from, const struct resident_state *to)
{
    clts();
    if (to->xcr0_all != 0)
        xsetbv(0, to->xcr0_all);
    if (from != NULL)
        save_state(from);
    load_state(to);
}

static void change_owner(struct vm_cpu *cpu, struct vcpu *v)
{
    exchange(cpu->resident_owner != NULL ? &cpu->resident_owner->resident : NULL,
             v != NULL ? &v->resident : &blank);
    cpu->resident_owner = v;
    if (v == NULL || v == cpu->last_guest)
        return;
    cpu->last_guest = v;
    /* what one guest has taught the CPU of branches, another does not find */
    if (mitigation_is_on(MITIGATION_IBPB))
        wrmsr(MSR_IA32_PRED_CMD, 1);
}

void resident_to_guest(struct vcpu *v)
{
    struct vm_cpu *cpu = &CPU_OF(VCPU_CPU(v), vm_cpu);
    bool stays = cpu->guest_ran && cpu->resident_owner == v;

    if (cpu->guest_ran && !stays)
        cpu->resident_owner->cr2 = read_cr2();
    if (cpu->resident_owner != v)
        change_owner(cpu, v);
    /* even if it stays: `eager` has the host's values in since the exit */
    msr_switch_to_guest(&cpu->msr, &v->msr);
    if (stays)
        return;
    write_cr2(v->cr2);
    cpu->guest_ran = true;
}

static inline __attribute__((always_inline)) void leave_guest(struct cpu_block *block)
{
    struct vm_cpu *cpu = &CPU_OF(block, vm_cpu);

    if (__builtin_expect(cpu->guest_ran, true)) {
        cpu->resident_owner->cr2 = read_cr2(); /* a fault of the monitor would change it */
        cpu->guest_ran = false;
        gdt_reload(&CPU_OF(block, cpu_gdt));
    }
}

static inline __attribute__((always_inline)) void to_ring3(struct cpu_block *block, struct vcpu *v)
{
    struct vm_cpu *cpu = &CPU_OF(block, vm_cpu);

    leave_guest(block);
    /* Another VM's registers: CR0.TS keeps a monitor from using them, but not every CPU from
     * guessing at them. */
    if (cpu->resident_owner != NULL && cpu->resident_owner != v)
        change_owner(cpu, NULL);
    msr_switch_to_monitor(&cpu->msr, v != NULL ? &v->msr : NULL);
}

void resident_to_monitor(struct vcpu *v)
{
    to_ring3(VCPU_CPU(v), v);
}

/* Who reaches all memory need not guess: the registers stay where they are for the guest's next
 * turn. */
static void to_service(bool trusted)
{
    struct cpu_block *block = this_cpu();

    to_ring3(block, trusted ? CPU_OF(block, vm_cpu).resident_owner : NULL);
}

void resident_lend(struct vcpu *v)
{
    struct vm_cpu *cpu = &THIS_CPU(vm_cpu);

    if (cpu->resident_owner != v)
        change_owner(cpu, v);
    clts(); /* until change_owner, or the next exit, sets TS */
}

uint32_t resident_pkru(struct vcpu *v)
{
    if (!(v->resident.xcr0_all & XCR0_PKRU))
        return 0;
    resident_lend(v);
    return read_pkru();
}

void resident_init_debug(struct vcpu *v)
{
    struct vm_cpu *cpu = &THIS_CPU(vm_cpu);

    leave_guest(this_cpu());
    if (cpu->resident_owner == v)
        change_owner(cpu, NULL);
    memset(v->resident.dr, 0, sizeof(v->resident.dr));
    v->resident.dr6 = DR6_RESET;
}

void resident_forget(struct vcpu *v)
{
    struct vm_cpu *cpu = &THIS_CPU(vm_cpu);

    leave_guest(this_cpu());
    if (cpu->resident_owner == v) {
        exchange(NULL, &blank);
        cpu->resident_owner = NULL;
    }
}

void resident_init(enum msr_strategy strategy)
{
    /* With SYSENTER as the gate, LSTAR is a guest's while ring 3 runs: a monitor's SYSCALL must be
     * #UD (R35). */
    if (msr_switch_uses_lists(strategy) && !(cpuid(7, 1).eax & CPUID_7_1_EAX_MSRLIST))
        stopped("msr-switch=list: this CPU lacks RDMSRLIST and WRMSRLIST");
    process_sysenter = msr_switch_uses_sysenter(strategy);
    if (process_sysenter)
        wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) & ~EFER_SCE);

    bool bhb = mitigation_is_on(MITIGATION_BHB);
    bool has_tsc_aux = cpuid(0x80000001, 0).edx & CPUID_80000001_EDX_RDTSCP;
    const struct msr_file host = {
        .features =
            MSR_FEATURE_SYSCALL | MSR_FEATURE_LM | (has_tsc_aux ? MSR_FEATURE_RDTSCP : 0) |
            (vm_msr_features() & (MSR_FEATURE_SPEC_CTRL | MSR_FEATURE_XSAVES | MSR_FEATURE_CET)),
        .value =
            {
                [MSR_SLOT_STAR] =
                    (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32,
                [MSR_SLOT_LSTAR] =
                    (uint64_t)(bhb ? process_gate_syscall_bhb : process_gate_syscall),
                [MSR_SLOT_FMASK] = HOST_FMASK,
                [MSR_SLOT_SPEC_CTRL] = guest_spec_ctrl_init(),
                [MSR_SLOT_EFER] = rdmsr(MSR_IA32_EFER),
                [MSR_SLOT_PAT] = rdmsr(MSR_IA32_PAT),
            },
    };
    uint32_t controls =
        (control_has(&vmx.controls, CONTROL_LOAD_GUEST_EFER) ? MSR_CONTROL_EFER : 0) |
        (control_has(&vmx.controls, CONTROL_LOAD_GUEST_PAT) ? MSR_CONTROL_PAT : 0);

    resident_reset(&blank);
    /* The first use of any vector register is #NM then, for resident_lend, and not #UD. */
    blank.xcr0 = blank.xcr0_all;
    service_claims_cpu = to_service;
    msr_switch_init(&THIS_CPU(vm_cpu).msr, strategy, &host, controls);
    wrmsr(MSR_IA32_SYSENTER_CS, 0);
    if (process_sysenter) {
        wrmsr(MSR_IA32_SYSENTER_CS, SELECTOR_KERNEL_CODE);
        wrmsr(MSR_IA32_SYSENTER_ESP, (uint64_t)(this_cpu() + 1));
        wrmsr(MSR_IA32_SYSENTER_EIP,
              (uint64_t)(bhb ? process_gate_sysenter_bhb : process_gate_sysenter));
    }
}
