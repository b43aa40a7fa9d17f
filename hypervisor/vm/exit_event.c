/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits by interrupts, exceptions and windows (R14-R17, R39, R40, R43, R44). */
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/machine_check.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/debug.h"
#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/event_fields.h"
#include "hypervisor/vm/exit.h"

#define DR6_SET_BY_DB 0x600fULL /* B0-B3, BD, BS */
#define DR7_GD        0x2000ULL

#define TIMEOUT_CONTEXT_INVALID 1 /* exit qualification */

/*
 * R43: the processor leaves DR6, DR7.GD, and LBR and BTF in DEBUGCTL to whoever reflects a #DB.
 * INT1 has no cause that DR6 could tell; in Bochs its qualification is what MOV SS has held back.
 */
static void update_debug_registers(struct vcpu *v, uint32_t info)
{
    if (EVENT_TYPE(info) == EVENT_TYPE_EXCEPTION)
        write_dr6((read_dr6() & ~0xfULL) | (vmread(VMCS_EXIT_QUALIFICATION) & DR6_SET_BY_DB));
    vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
    vmwrite(VMCS_GUEST_DEBUGCTL, vmread(VMCS_GUEST_DEBUGCTL) & ~(DEBUGCTL_LBR | DEBUGCTL_BTF));
}

/*
 * Only what would harm the host exits: machine checks, and #DB and #AC, whose delivery can raise
 * themselves again without end. Both of those go back to the guest, unless a debugger says that
 * they are its own; it has #BP exit, too. Vector 2 has nothing that exits but NMIs.
 */
void exit_exception_nmi(struct vcpu *v)
{
    uint32_t info = (uint32_t)vmread(VMCS_EXIT_INTERRUPTION_INFO);

    if (EVENT_VECTOR(info) == VECTOR_NMI) {
        trap_nmi();
        event_fields_resume(v);
        return;
    }
    if (EVENT_VECTOR(info) == VECTOR_MC) {
        machine_check();
        event_fields_resume(v);
        return;
    }
    if (__builtin_expect(v->debug.on, 0))
        debug_exit(v);
    if (EVENT_VECTOR(info) == VECTOR_DB)
        update_debug_registers(v, info);
    event_fields_reflect(v);
}

void exit_external_interrupt(struct vcpu *v)
{
    interrupt_handle((uint8_t)EVENT_VECTOR(vmread(VMCS_EXIT_INTERRUPTION_INFO)));
}

/* Of an interrupt or an NMI. The controls are put right where the event is injected. */
void exit_window(struct vcpu *v)
{
    v->thread.work |= WORK_INTERRUPT;
}

/* What is due is found on the way to the entry, as for every exit. Without reading the TSC: the
 * exit comes when one of the two is due. */
void exit_preemption_timer(struct vcpu *v)
{
    if (v->kicks != 0)
        sched_post(&v->thread, EVENT_KICK);
    interrupts_let_in();
}

/* An instruction, or what it set off, has come to no end for so long that no event got through: the
 * others come first, if there is still a guest to go on with. So they do where one has locked the
 * bus, and kept all CPUs from memory; then it is done, and the qualification is 0. */
void exit_instruction_timeout(struct vcpu *v)
{
    if (vmread(VMCS_EXIT_QUALIFICATION) & TIMEOUT_CONTEXT_INVALID)
        exit_shutdown(v, SHUTDOWN_UNSUPPORTED, EXIT_REASON_INSTRUCTION_TIMEOUT);
    event_fields_resume(v);
    sched_give_way(&v->thread);
}

void exit_triple_fault(struct vcpu *v)
{
    exit_shutdown(v, SHUTDOWN_TRIPLE_FAULT, 0);
}

/* R17: a TSS is memory, and memory is the monitor's. */
void exit_task_switch(struct vcpu *v)
{
    uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);

    v->page->task = (struct exit_task){
        .selector = (uint16_t)qualification,
        .source = qualification >> 30 & 3,
        .vectoring = (uint32_t)vmread(VMCS_IDT_VECTORING_INFO),
        .error_code = (uint32_t)vmread(VMCS_IDT_VECTORING_ERROR_CODE),
        .length = (uint32_t)vmread(VMCS_EXIT_INSTRUCTION_LENGTH),
    };
    vcpu_save_for_emulation(v, &v->page->state);
    exit_to_monitor(v, EXIT_TASK_SWITCH);
}
