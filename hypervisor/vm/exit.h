/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM exits. Each handler is one row of the table in exit.c; it either finishes, and the guest goes
 * on, or hands over to the monitor and does not return.
 */
#pragma once

#include "hypervisor/vm/vcpu.h"

/* A row's handler of an exit of v, whose VMCS is current. */
typedef void exit_handler(struct vcpu *v);

/* exit_cpu.c: instructions. */
exit_handler exit_cpuid, exit_hlt, exit_undefined, exit_invd, exit_pause, exit_vmcall, exit_xsetbv,
    exit_general_protection;

/* exit_cr.c: MOV to and from control registers, CLTS, LMSW. */
exit_handler exit_cr_access;

/* exit_msr.c. */
exit_handler exit_rdmsr, exit_wrmsr;

/* exit_apic.c: a local APIC that the processor virtualizes. */
exit_handler exit_virtualized_eoi, exit_apic_write;

/* exit_io.c. */
exit_handler exit_io, exit_ept_violation;

/* exit_event.c: interrupts, exceptions, windows. */
exit_handler exit_exception_nmi, exit_external_interrupt, exit_window, exit_preemption_timer,
    exit_instruction_timeout, exit_triple_fault, exit_task_switch;

/* Handles the last exit of v, whose VMCS is current, once more. */
void exit_handle(struct vcpu *v);

/* Called by switch.S with the registers saved; returns v, ready to be resumed. */
struct vcpu *exit_dispatch(struct vcpu *v);

/* The same, for the strategy that switches MSRs on each exit and entry. */
struct vcpu *exit_dispatch_eager(struct vcpu *v);

/* Called by switch.S when VMLAUNCH or VMRESUME fails with flags. */
void __attribute__((noreturn)) vmx_entry_failed(void);

/* switch.S: where exits arrive, an address for each sum of these; and those of a traced vCPU, which
 * have VERW in any case, without and with what VMX_EXIT_BHB says. */
enum vmx_exit_way {
    VMX_EXIT_EAGER = 1, /* exit_dispatch_eager */
    VMX_EXIT_VERW = 2,
    VMX_EXIT_BHB = 4,
    VMX_EXIT_TRACED = 8, /* trace_dispatch */
    VMX_EXIT_WAYS = 10
};
extern const uint64_t vmx_exits[VMX_EXIT_WAYS];

/* switch.S: enters the guest with the current VMCS, by the mitigations that the CPU needs. */
void __attribute__((noreturn)) vmx_enter(struct vcpu *v);
void __attribute__((noreturn)) vmx_enter_verw(struct vcpu *v);
void __attribute__((noreturn)) vmx_enter_l1d(struct vcpu *v);
