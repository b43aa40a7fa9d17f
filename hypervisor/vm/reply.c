/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/reply.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/vm/guest_registers.h"
#include "hypervisor/vm/vm.h"
#include "lib/string.h"

#define RFLAGS_SETTABLE (RFLAGS_ALL & ~RFLAGS_VM)

static void take_registers(struct vcpu *v)
{
    memcpy(v->gpr, v->page->state.gpr, sizeof(v->gpr));
    vmwrite(VMCS_GUEST_RSP, v->gpr[GPR_RSP]);
}

/* R43: breakpoints trap behind the instruction that met them. */
static void __attribute__((cold, noinline)) pend_breakpoints(struct vcpu *v)
{
    uint32_t met = v->page->reply_breakpoints & 0xf;

    v->page->reply_breakpoints = 0;
    vmwrite(VMCS_GUEST_PENDING_DEBUG,
            vmread(VMCS_GUEST_PENDING_DEBUG) | met | PENDING_DEBUG_ENABLED_BREAKPOINT);
}

static inline void take_breakpoints(struct vcpu *v)
{
    if (__builtin_expect(v->page->reply_breakpoints != 0, 0))
        pend_breakpoints(v);
}

/* The emulated instruction is behind us: the end of vcpu_skip_instruction, with RIP and RFLAGS from
 * the monitor. Inline where it is common, although take_segments has it, too. */
static inline __attribute__((always_inline)) void take_state(struct vcpu *v)
{
    uint64_t old = vmread(VMCS_GUEST_RFLAGS);
    uint64_t interruptibility = vmread(VMCS_GUEST_INTERRUPTIBILITY);

    take_registers(v);
    vmwrite(VMCS_GUEST_RIP, v->page->state.rip);
    vmwrite(VMCS_GUEST_RFLAGS,
            (v->page->state.rflags & RFLAGS_SETTABLE) | (old & RFLAGS_VM) | RFLAGS_FIXED);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
            interruptibility & ~(uint64_t)(BLOCKING_BY_STI | BLOCKING_BY_MOV_SS));
    take_breakpoints(v);
    vcpu_pend_single_step(old); /* R43 */
}

static void take_exception(struct vcpu *v)
{
    /* What an emulated access can raise; anything else would be the monitor's mistake, and is its
     * guest's #GP. */
    static const uint32_t faults =
        1u << VECTOR_UD | 1u << VECTOR_SS | 1u << VECTOR_GP | 1u << VECTOR_PF | 1u << VECTOR_AC |
        1u << VECTOR_DB | 1u << VECTOR_DE | 1u << VECTOR_NP | 1u << VECTOR_BR | 1u << VECTOR_TS;
    uint32_t vector = v->page->reply_vector, error_code = v->page->reply_error_code & 0xffff;

    take_registers(v);
    if (vector == VECTOR_PF)
        v->cr2 = v->page->reply_cr2;
    if (vector < 32 && faults & 1u << vector)
        vcpu_raise(v, (uint8_t)vector, error_code);
    else
        vcpu_raise(v, VECTOR_GP, 0);
}

void reply_take_watched(struct vcpu *v)
{
    reply_take_input(v);
    take_breakpoints(v);
}

/* What cannot be entered stops this VM at the entry, with the failed check in the log. */
static void __attribute__((cold, noinline)) take_segments(struct vcpu *v, bool blocks)
{
    take_state(v);
    vcpu_load_segments(&v->page->state);
    if (blocks) /* it has been cleared */
        vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
                vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_BY_MOV_SS);
}

/* R17: another task. Its IRET has ended blocking by NMI; no single step follows the old task. */
static void __attribute__((cold, noinline)) take_task(struct vcpu *v)
{
    uint64_t cr3 = v->page->state.cr3;

    take_segments(v, false);
    if ((vmread(VMCS_EXIT_QUALIFICATION) >> 30 & 3) == TASK_IRET)
        vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
    vmwrite(VMCS_GUEST_RFLAGS, (v->page->state.rflags & RFLAGS_ALL) | RFLAGS_FIXED);
    vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
    vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~(uint64_t)DR7_LOCAL);
    vmwrite(VMCS_GUEST_CR0, vmread(VMCS_GUEST_CR0) | CR0_TS);
    if (cr3 != vmread(VMCS_GUEST_CR3)) {
        vmwrite(VMCS_GUEST_CR3, cr3);
        if (guest_cr4() & CR4_PAE)
            guest_load_pdptes(v); /* the monitor has found out whether they can be */
        vmx_flush_vpid(v->vpid);
    }
    if (v->page->reply_vector == REPLY_NO_VECTOR)
        return;
    if (v->page->reply_vector == VECTOR_DB) {
        resident_lend(v); /* so that the CPU has its DR6 */
        write_dr6(read_dr6() | DR6_BT);
    }
    take_exception(v);
}

void reply_take_emulated(struct vcpu *v)
{
    uint32_t reply = v->page->reply;

    if (reply == REPLY_STATE)
        take_state(v);
    else if (reply == REPLY_EXCEPTION)
        take_exception(v);
    else if (reply == REPLY_SEGMENTS || reply == REPLY_STACK_SEGMENT)
        take_segments(v, reply == REPLY_STACK_SEGMENT);
    else if (reply == REPLY_TASK)
        take_task(v);
}
