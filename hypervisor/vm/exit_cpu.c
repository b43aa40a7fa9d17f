/* SPDX-License-Identifier: BSD-2-Clause */
/* R24, R38, R46: the instructions that exit and are finished here. */
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/apic_virtual.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/exit.h"
#include "hypervisor/vm/several.h"
#include "hypervisor/vm/vm.h"

/* The answer to a hypercall that does not exist, as KVM documents it. */
#define KVM_ENOSYS (-1000LL)

/* The few leaves that are more than four constants. */
static void __attribute__((noinline)) apply_rule(struct vcpu *v, const struct cpuid_answer *answer,
                                                 uint32_t out[4])
{
    struct cpuid_dynamic dynamic = {
        .cr4 = vmread(VMCS_GUEST_CR4),
        .xcr0 = v->resident.xcr0,
        .xss = v->msr.file.value[MSR_SLOT_XSS],
        .apic_id = v->lapic.id,
        .apic_enabled = v->lapic.base & APIC_BASE_ENABLE,
    };

    cpuid_apply_rule(&v->vm->cpuid, answer, (uint32_t)v->gpr[GPR_RCX], &dynamic, out);
}

void exit_cpuid(struct vcpu *v)
{
    const struct cpuid_answer *answer = cpuid_find(&v->vm->cpuid, (uint32_t)v->gpr[GPR_RAX]);
    const uint32_t *reg = answer->reg;
    uint32_t out[4];

    if (answer->rule != 0) {
        apply_rule(v, answer, out);
        reg = out;
    }
    v->gpr[GPR_RAX] = reg[CPUID_EAX];
    v->gpr[GPR_RBX] = reg[CPUID_EBX];
    v->gpr[GPR_RCX] = reg[CPUID_ECX];
    v->gpr[GPR_RDX] = reg[CPUID_EDX];
    vcpu_skip_instruction(v);
}

void exit_hlt(struct vcpu *v)
{
    v->halted_if = vcpu_skip_instruction(v) & RFLAGS_IF;
    v->halted = true;
    if (!v->halted_if && vmread(VMCS_GUEST_PENDING_DEBUG) == 0)
        vcpu_follow_rest(v, false);
    apic_virtual_halted(v);
    if (v->kicks != 0)
        exit_to_monitor(v, EXIT_EVENTS);
    /* What is pending behind HLT, a single step or what MOV SS held back, traps at once (R43). */
    if (!vcpu_may_wake(v) && vmread(VMCS_GUEST_PENDING_DEBUG) == 0) {
        if (!(v->thread.work & (WORK_EVENTS | WORK_MAIL)))
            sched_leave();
        schedule();
    }
    v->halted = false;
}

/* VMX, SMX, MONITOR and MWAIT, SGX, TDX and others, which CPUID does not offer. */
void exit_undefined(struct vcpu *v)
{
    vcpu_raise(v, VECTOR_UD, 0);
}

void exit_general_protection(struct vcpu *v)
{
    vcpu_raise(v, VECTOR_GP, 0);
}

/*
 * INVD would lose what others have written, and WBINVD would empty the caches for all: guest memory
 * is write-back and no device of a guest is outside of the coherent domain, so there is nothing to
 * do for either.
 */
void exit_invd(struct vcpu *v)
{
    vcpu_skip_instruction(v);
}

/* A guest that spins for a lock gives the CPU to whoever waits for it, and so may one do whose
 * interrupt has not been let in: where an emulator's guest has interrupts off (docs/emulator.md),
 * the timer that sees to it begins anew with each of these exits. */
void exit_pause(struct vcpu *v)
{
    vcpu_skip_instruction(v);
    interrupts_let_in();
    sched_give_way(&v->thread);
}

void exit_vmcall(struct vcpu *v)
{
    v->gpr[GPR_RAX] = (uint64_t)KVM_ENOSYS;
    vcpu_skip_instruction(v);
}

void exit_xsetbv(struct vcpu *v)
{
    uint64_t value = v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX];

    /* To the SDM ring 3 does not come here, but in Bochs it does (docs/emulator.md). */
    if (ACCESS_DPL(vmread(VMCS_GUEST_SS_ACCESS_RIGHTS)) != 0 || (uint32_t)v->gpr[GPR_RCX] != 0 ||
        !cpuid_xcr0_valid(v->resident.xcr0_all, value)) {
        vcpu_raise(v, VECTOR_GP, 0);
        return;
    }
    v->resident.xcr0 = value;
    xsetbv(0, value); /* v is the resident owner: its guest has just run */
    vcpu_skip_instruction(v);
}
