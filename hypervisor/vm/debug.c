/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger at a vCPU (R43): see debug.h. */
#include "hypervisor/vm/debug.h"

#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/event_fields.h"
#include "hypervisor/vm/exit.h"

static void load_controls(struct vcpu *v)
{
    uint64_t exceptions = vmread(VMCS_EXCEPTION_BITMAP) & ~BIT(VECTOR_BP);

    vmwrite(VMCS_EXCEPTION_BITMAP, exceptions | (uint64_t)v->debug.on << VECTOR_BP);
    vcpu_toggle(v, CONTROL_MASK(MOV_DR_EXITING), v->debug.on);
}

/*
 * One instruction, for which events are blocked as behind MOV SS; then comes an NMI window. Unlike
 * TF that leaves nothing in what the instruction writes. An event that is on its way comes first,
 * and alone.
 */
static void begin_step(struct vcpu *v)
{
    uint64_t state = vmread(VMCS_GUEST_INTERRUPTIBILITY);

    v->debug.nmi_blocked = state & BLOCKING_BY_NMI;
    state &= ~(uint64_t)(BLOCKING_BY_STI | BLOCKING_BY_NMI);
    if (!(vmread(VMCS_ENTRY_INTERRUPTION_INFO) & EVENT_VALID)) {
        state |= BLOCKING_BY_MOV_SS;
        vcpu_pend_single_step(vmread(VMCS_GUEST_RFLAGS)); /* as the entry wants it */
    }
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, state);
    vcpu_toggle(v, CONTROL_MASK(NMI_WINDOW_EXITING), true);
}

static bool is_to_stand(const struct vcpu *v)
{
    bool event_comes = vmread(VMCS_ENTRY_INTERRUPTION_INFO) & EVENT_VALID;

    return v->debug.stop || (v->debug.step && !event_comes &&
                             !(vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_BY_MOV_SS));
}

/* It has left the CPU, or is about to. */
static void stand(struct vcpu *v, enum gate_stop_why why)
{
    if (v->debug.nmi_blocked)
        vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_BY_NMI);
    v->debug = (struct vcpu_debug){.on = true, .why = why};
    v->thread.work |= WORK_INTERRUPT; /* what has waited, and the windows' controls */
    sched_withdraw(&v->thread);
    v->mode = VCPU_STANDS;
}

void debug_stop(struct vcpu *v, enum gate_stop_why why)
{
    bool nmi_blocked = v->debug.nmi_blocked && why != GATE_STOPPED_RESET;

    v->debug = (struct vcpu_debug){true, .stop = true, .why = why, .nmi_blocked = nmi_blocked};
    v->thread.work |= WORK_DEBUG;
    load_controls(v);
}

uint32_t debug_before_entry(struct vcpu *v, uint32_t work)
{
    v->thread.work = work & ~WORK_DEBUG; /* waits if it stands */
    if (v->debug.reflect)
        exit_handle(v);
    v->debug.reflect = false;
    if (is_to_stand(v)) {
        stand(v, v->debug.why);
        schedule();
    }
    uint32_t stays = v->debug.step ? WORK_DEBUG | WORK_INTERRUPT : 0;
    v->thread.work = work & (WORK_STAYS | stays);
    return work & ~stays;
}

void debug_exit(struct vcpu *v)
{
    if (v->debug.reflect)
        return;
    event_fields_resume(v);
    stand(v, GATE_STOPPED_EXIT);
    schedule();
}

/* A monitor answers its exit first. */
static int64_t stop(struct vcpu *v)
{
    if (v->mode == VCPU_STOPPED)
        return GATE_ESTATE;
    if (v->mode == VCPU_STANDS)
        return 0;
    debug_stop(v, GATE_STOPPED_ASKED);
    if (v->mode == VCPU_IN_GUEST)
        stand(v, GATE_STOPPED_ASKED);
    return 0;
}

static int64_t go(struct vcpu *v, uint32_t command)
{
    bool stands = v->mode == VCPU_STANDS;

    if (!stands && !(command & GATE_DEBUG_END))
        return GATE_ESTATE;
    v->debug = (struct vcpu_debug){
        .on = !(command & GATE_DEBUG_END),
        .step = command & GATE_DEBUG_STEP,
        .reflect = command & GATE_DEBUG_REFLECT && v->debug.why == GATE_STOPPED_EXIT,
        .why = GATE_STOPPED_STEP,
    };
    if (v->debug.step)
        begin_step(v);
    load_controls(v);
    v->thread.work |= WORK_DEBUG;
    if (stands)
        v->mode = VCPU_IN_GUEST;
    sched_notify(&v->thread);
    return 0;
}

int64_t debug_command(struct vcpu *v, uint32_t command)
{
    /* a step that has ended with HLT, or its monitor has answered while it halts: there is no entry
     * at which it would stand; it halts when it goes on */
    if (v->mode == VCPU_IN_GUEST && v->halted && is_to_stand(v))
        stand(v, v->debug.why);
    if (command & GATE_DEBUG_STOP)
        return stop(v);
    return command == GATE_DEBUG_LOOK ? 0 : go(v, command);
}
