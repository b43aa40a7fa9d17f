/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU. Its thread runs the guest or, for its exits, the monitor of its VM. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "abi/gate.h"
#include "hypervisor/cpu/cpu.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/msr/switch.h"
#include "hypervisor/sched/sched.h"
#include "hypervisor/vm/mail.h"
#include "hypervisor/vm/resident.h"
#include "hypervisor/vm/vlapic.h"
#include "hypervisor/vmx/vmx.h"
#include "lib/exit_reasons.h"

/* The CPU that runs v: with less arithmetic than by the stack pointer. */
#define VCPU_CPU(v) ((v)->thread.cpu)

/* Bits of thread.work. */
#define WORK_INTERRUPT                                                                             \
    (1u << WORK_KIND_BITS) /* the local APIC or an NMI: something may be injectable */
#define WORK_TIMER (2u << WORK_KIND_BITS) /* thread.deadline is not what the local APIC says */
#define WORK_DEBUG (4u << WORK_KIND_BITS) /* a debugger may want it to stop (debug.h) */
/* No work: the VM has several vCPUs, and its monitor is to be asked for. It is here because the
 * exits that go to a monitor test this word anyway. */
#define WORK_SHARED (8u << WORK_KIND_BITS)
#define WORK_TRACED (16u << WORK_KIND_BITS) /* no work either: its monitor's turns are traced */
#define WORK_MAIL   (32u << WORK_KIND_BITS) /* other CPUs have sent something (several.h) */
#define WORK_MARKS  (WORK_SHARED | WORK_TRACED)
/* What is left when the rest has been done. */
#define WORK_STAYS (WORK_EVENTS | WORK_MARKS)

enum vcpu_mode {
    VCPU_IN_MONITOR, /* continues in ring 3 */
    VCPU_IN_GUEST,   /* continues with a VM entry */
    VCPU_WAITS,      /* has an exit for the monitor, which another vCPU has */
    VCPU_CALLED,     /* continues with that exit: it has been given the monitor */
    VCPU_OFF,        /* waits for a SIPI: it is not scheduled */
    VCPU_STARTS,     /* continues where the SIPI says */
    VCPU_PAUSED,     /* continues as vcpu.paused says, when it is resumed */
    VCPU_STANDS,     /* continues with a VM entry when a debugger has it go on (debug.h) */
    VCPU_STOPPED,
};

/* What a debugger has to do with a vCPU (debug.h). */
struct vcpu_debug {
    bool on, stop, step;       /* `stop` before the next instruction, `step` behind it */
    bool reflect, nmi_blocked; /* its last exit is handled again first; when a step has begun */
    enum gate_stop_why why;    /* it has stopped, or will */
};

struct vcpu {
    uint64_t gpr[16]; /* the guest's; HOST_RSP is their end, so that the exit pushes them here */
    void *stack;      /* the end of the CPU's stack */
    uint64_t size;    /* with all that lies behind it: what it points to and has for itself */
    struct thread thread;
    uint32_t launched; /* VMRESUME, not VMLAUNCH */
    uint64_t kicks;    /* of doorbells, for the monitor */
    struct vm *vm;
    struct exit_page *page;
    struct vlapic lapic; /* its id is the number of the vCPU in its VM; 0 boots */
    uint64_t tsc_offset; /* guest TSC - host TSC */
    enum vcpu_mode mode, paused;
    uint32_t eoi_pending; /* a level-triggered vector + 1 that the monitor must hear of, or 0 */
    uint32_t exit_kind;   /* of the exit that the monitor is answering */
    uint64_t input_keep;  /* EXIT_IO: the bits of RAX that stay, */
    uint64_t input_mask;  /* and those that come from the monitor */
    uint16_t vpid;        /* R37: 0 is the host's */
    uint16_t sipi;        /* SIGNAL_* with the vector of a SIPI that it has still to follow, */
    bool init;            /* behind an INIT; or 0, or false */
    bool rests;           /* nothing but an NMI or a SIPI makes it run */
    bool nmi_pending;
    bool halted;            /* the guest has executed HLT */
    bool halted_if;         /* with RFLAGS.IF = 1: an interrupt wakes it, otherwise only an NMI */
    bool started;           /* it has a state that can be entered */
    uint32_t proc_controls; /* as in the VMCS */
    uint64_t vmcs;          /* physical address */
    uint64_t cr2;           /* while ring 3 or another vCPU has the CPU */
    struct resident_state resident;
    struct vcpu_debug debug;
    uint32_t *lapic_page;
    uint8_t *msr_bitmap;
    uint8_t *msr_bitmap_virtual; /* while the processor virtualizes the local APIC */
    struct msr_context msr;
    uint64_t exits[EXIT_REASON_COUNT];
    void __attribute__((noreturn)) (*enter)(struct vcpu *v); /* of switch.S */
    uint64_t spec_ctrl; /* what the guest has written; the CPU holds more (msr/spec_ctrl.h) */
    uint64_t msr_exits[MSR_SLOT_COUNT]; /* RDMSR and WRMSR that exited, by the row's slot */
    uint64_t signals;                   /* that were sent to it (agree.h) */
    struct mail mail;                   /* interrupts from other CPUs */
};

/* What the VMs have of one CPU. */
struct vm_cpu {
    struct vcpu *vmcs_owner;     /* whose VMCS is current; NULL: none */
    struct vcpu *resident_owner; /* whose registers the CPU holds; NULL: nobody's */
    struct vcpu *last_guest;     /* whose branches the CPU knows; NULL: nobody's */
    /* since ring 3 did: CR2 is the owner's, and the GDT's limit is wrong */
    bool guest_ran;
    uint64_t patience; /* a guest runs no longer without an exit: TSC ticks */
    struct msr_cpu msr;
};

extern PER_CPU struct vm_cpu vm_cpu;

/* Allocates and prepares a VM's vCPU of this number; the first one's state is set by vcpu_start. */
struct vcpu *vcpu_create(struct vm *vm, uint32_t number);

/*
 * Puts a vCPU into the state of its exit page, with all that the page does not hold as after a
 * reset. False: Lintel itself refuses the state, and the log says why. What the processor refuses
 * is found at the entry.
 */
bool vcpu_start(struct vcpu *v);

/* Puts a vCPU that follows a SIPI into the state of SDM volume 3, "Processor State After Reset",
 * that INIT leaves, or the power-up where it was never started. */
void vcpu_begin(struct vcpu *v);

/* Whether its guest's RDMSR of this one passes without an exit, from the next entry on. */
void vcpu_pass_reads(struct vcpu *v, uint32_t index, bool pass);

/* Makes its VMCS the current one. */
void vcpu_switch_vmcs(struct vcpu *v);

/* Sets or clears a control that is toggled, in its VMCS, which is current. */
void vcpu_toggle(struct vcpu *v, uint32_t mask, bool on);

/* Puts a state that a debugger has changed into the VMCS, which is current. False: as for
 * vcpu_start. */
bool vcpu_change(struct vcpu *v, const struct guest_state *state);

/* An MSR as the guest would read it; its VMCS is current. False: it would get #GP. */
bool vcpu_read_msr(struct vcpu *v, uint32_t index, uint64_t *value);

/* An entry failed: whether that launched the VMCS depends on how, and VMCLEAR makes it certain
 * (R6). It stays current. */
void vcpu_forget_launch(struct vcpu *v);

static inline __attribute__((always_inline)) void vcpu_load(struct vcpu *v)
{
    if (__builtin_expect(CPU_OF(VCPU_CPU(v), vm_cpu).vmcs_owner != v, 0))
        vcpu_switch_vmcs(v);
}

/* With RFLAGS.TF, an instruction that was emulated traps as it would have by itself (R43). */
void vcpu_pend_single_step(uint64_t rflags);

/* RIP behind the instruction that exited, blocking by STI and MOV SS ended, TF's trap pending
 * (R43). Returns RFLAGS. */
static inline uint64_t vcpu_skip_instruction(struct vcpu *v)
{
    uint64_t interruptibility = vmread(VMCS_GUEST_INTERRUPTIBILITY);

    vmwrite(VMCS_GUEST_RIP, vmread(VMCS_GUEST_RIP) + vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
    if (interruptibility & (BLOCKING_BY_STI | BLOCKING_BY_MOV_SS))
        vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
                interruptibility & ~(uint64_t)(BLOCKING_BY_STI | BLOCKING_BY_MOV_SS));
    uint64_t rflags = vmread(VMCS_GUEST_RFLAGS);
    if (__builtin_expect((rflags & RFLAGS_TF) != 0, 0))
        vcpu_pend_single_step(rflags);
    return rflags;
}

/* event_fields.c: the guest gets a hardware exception that emulation found, in place of the
 * instruction that exited, or that an event's delivery met (R15); may find a triple fault and not
 * return. */
void vcpu_raise(struct vcpu *v, uint8_t vector, uint32_t error_code);

/* Whether a halted vCPU has something to wake up for. */
static inline bool vcpu_may_wake(const struct vcpu *v)
{
    return v->nmi_pending || (v->halted_if && vlapic_wakes(&v->lapic));
}

/* Whether its guest, which would go on, has halted with nothing to do for it or for its monitor. */
static inline bool vcpu_sleeps(const struct vcpu *v)
{
    return v->halted && !(v->thread.work & (WORK_EVENTS | WORK_MAIL)) && !vcpu_may_wake(v);
}

/* Writes the state of the guest, whose VMCS is current: all of it, or what emulating one
 * instruction takes. */
void vcpu_save_state(struct vcpu *v, struct guest_state *state);
void vcpu_save_for_emulation(struct vcpu *v, struct guest_state *state);

/* Only the segments and the descriptor tables. Loading checks nothing: the VM entry does. */
void vcpu_save_segments(struct guest_state *state);
void vcpu_load_segments(const struct guest_state *state);
