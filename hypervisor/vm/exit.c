/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit path: reason, table, handler, and what is left to do before the guest goes on. */
#include "hypervisor/vm/exit.h"

#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/report/panic.h"
#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/events.h"
#include "hypervisor/vm/guest_registers.h"

/* No handler: it cannot happen with our controls, and stops the VM where it does. */
static void exit_unhandled(struct vcpu *v)
{
    exit_shutdown(v, SHUTDOWN_UNSUPPORTED, vmread(VMCS_EXIT_REASON) & EXIT_REASON_BASIC);
}

/* The first line is for all reasons that no other line names. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* R46: each instruction that exits has its decision here. */
static exit_handler *const handlers[EXIT_REASON_COUNT] = {
    [0 ... EXIT_REASON_COUNT - 1] = exit_unhandled,
    [EXIT_REASON_EXCEPTION_NMI] = exit_exception_nmi,
    [EXIT_REASON_EXTERNAL_INTERRUPT] = exit_external_interrupt,
    [EXIT_REASON_TRIPLE_FAULT] = exit_triple_fault,
    [EXIT_REASON_INTERRUPT_WINDOW] = exit_window,
    [EXIT_REASON_NMI_WINDOW] = exit_window,
    [EXIT_REASON_TASK_SWITCH] = exit_task_switch,
    [EXIT_REASON_CPUID] = exit_cpuid,
    [EXIT_REASON_GETSEC] = exit_undefined,
    [EXIT_REASON_HLT] = exit_hlt,
    [EXIT_REASON_INVD] = exit_invd,
    [EXIT_REASON_RDPMC] = exit_general_protection,
    [EXIT_REASON_VMCALL] = exit_vmcall,
    [EXIT_REASON_VMCLEAR... EXIT_REASON_VMXON] = exit_undefined, /* VMX */
    [EXIT_REASON_CR_ACCESS] = exit_cr_access,
    [EXIT_REASON_DR_ACCESS] = debug_exit,
    [EXIT_REASON_IO] = exit_io,
    [EXIT_REASON_RDMSR] = exit_rdmsr,
    [EXIT_REASON_WRMSR] = exit_wrmsr,
    [EXIT_REASON_MWAIT] = exit_undefined,
    [EXIT_REASON_MONITOR] = exit_undefined,
    [EXIT_REASON_PAUSE] = exit_pause,
    [EXIT_REASON_VIRTUALIZED_EOI] = exit_virtualized_eoi,
    [EXIT_REASON_EPT_VIOLATION] = exit_ept_violation,
    [EXIT_REASON_INVEPT] = exit_undefined,
    [EXIT_REASON_PREEMPTION_TIMER] = exit_preemption_timer,
    [EXIT_REASON_INVVPID] = exit_undefined,
    [EXIT_REASON_WBINVD] = exit_invd,
    [EXIT_REASON_XSETBV] = exit_xsetbv,
    [EXIT_REASON_APIC_WRITE] = exit_apic_write,
    [EXIT_REASON_ENCLS] = exit_undefined,
    [EXIT_REASON_BUS_LOCK] = exit_instruction_timeout,
    [EXIT_REASON_INSTRUCTION_TIMEOUT] = exit_instruction_timeout,
    [EXIT_REASON_SEAMCALL] = exit_undefined,
    [EXIT_REASON_TDCALL] = exit_undefined,
    [EXIT_REASON_RDMSR_IMMEDIATE] = exit_undefined,
    [EXIT_REASON_WRMSR_IMMEDIATE] = exit_undefined,
};

/*
 * Behind an instruction that ends at 4 GiB, EIP is 0. Who moves RIP leaves the carry to the check
 * that the entry makes anyway: no exit spends an instruction on what hardly ever happens.
 */
static bool wrap_eip(void)
{
    uint64_t rip = vmread(VMCS_GUEST_RIP);

    if (rip >> 32 == 0 || guest_in_64_bit_mode())
        return false;
    vmwrite(VMCS_GUEST_RIP, (uint32_t)rip);
    return true;
}

/* R9: what cannot be entered ends this VM, and its monitor finds out which check failed. */
static void __attribute__((noreturn, cold, noinline)) refuse_entry(struct vcpu *v, uint32_t detail)
{
    v->started = false; /* its monitor may give it a state that can be entered */
    v->page->vmcs.caps = vmx.caps;
    vmcs_read_values(v->page->vmcs.field);
    exit_shutdown(v, SHUTDOWN_ENTRY_FAILED, detail);
}

/* The guest's state was not loaded. */
static void __attribute__((noreturn, cold, noinline)) entry_failed(struct vcpu *v, uint32_t reason)
{
    if ((reason & EXIT_REASON_BASIC) == EXIT_REASON_ENTRY_MACHINE_CHECK)
        machine_check();
    vcpu_forget_launch(v);
    if (wrap_eip())
        vcpu_enter(v);
    refuse_entry(v, reason & EXIT_REASON_BASIC);
}

/* Not the bare number of a handler: bit 31 alone says that an entry failed; the other high bits
 * tell more of an exit. */
static void __attribute__((cold, noinline)) exit_unusual(struct vcpu *v, uint32_t reason)
{
    uint32_t basic = reason & EXIT_REASON_BASIC;

    if (reason & EXIT_REASON_ENTRY_FAILED)
        entry_failed(v, reason);
    if (basic >= EXIT_REASON_COUNT)
        exit_unhandled(v);
    v->exits[basic]++;
    handlers[basic](v);
}

void exit_handle(struct vcpu *v)
{
    handlers[vmread(VMCS_EXIT_REASON) & EXIT_REASON_BASIC](v);
}

struct vcpu *exit_dispatch(struct vcpu *v)
{
    uint64_t reason = vmread(VMCS_EXIT_REASON);

    if (__builtin_expect(reason >= EXIT_REASON_COUNT, 0)) {
        exit_unusual(v, (uint32_t)reason);
    } else {
        v->exits[reason]++;
        handlers[reason](v);
    }
    events_before_entry(v);
    return v;
}

struct vcpu *exit_dispatch_eager(struct vcpu *v)
{
    struct msr_cpu *cpu = &THIS_CPU(vm_cpu).msr;

    msr_switch_exit(cpu);
    exit_dispatch(v);
    msr_switch_entry(cpu);
    return v;
}

/* Control fields that are wrong are one vCPU's own (R8). Its other errors are Lintel's: the host's
 * fields are the same for all. */
void vmx_entry_failed(void)
{
    struct vcpu *v = VCPU_OF(THIS_CPU(sched).running);

    if (vmread(VMCS_VM_INSTRUCTION_ERROR) != VM_ERROR_ENTRY_CONTROLS)
        vmx_instruction_failed("VM entry", VMCS_VM_INSTRUCTION_ERROR);
    vcpu_forget_launch(v);
    refuse_entry(v, VM_ERROR_ENTRY_CONTROLS);
}
