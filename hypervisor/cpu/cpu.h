/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The per-CPU block: one aligned piece of memory that holds a CPU's data and all of its stacks, so
 * that the data is found from the stack pointer, whichever stack that is. Ring 0 uses no GS and
 * never executes SWAPGS.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "hypervisor/cpu/gdt.h"
#include "hypervisor/msr/switch.h"

#define CPU_BLOCK_SIZE 0x8000
#define CPU_IST_SIZE   0x1000

struct vcpu;

struct cpu {
    struct vcpu *vcpu;           /* whose monitor or guest runs here; NULL: idle */
    struct vcpu *vmcs_owner;     /* whose VMCS is current; NULL: none */
    struct vcpu *resident_owner; /* whose registers the CPU holds; NULL: nobody's */
    /* since ring 3 did: CR2 is the owner's, and the GDT's limit is wrong */
    bool guest_ran;
    struct msr_cpu msr;
    uint64_t next_event;   /* the TSC at which somebody's timer or the time slice is over */
    uint64_t others_event; /* of these, all but the timers of the one that runs */
    uint64_t slice_end;    /* UINT64_MAX: nobody waits for the CPU */
    uint64_t turn_start;   /* when the one that runs got the CPU */
    uint64_t accounted;    /* until when its time has been added to what it has used */
    uint64_t rival_used;   /* the least that any has had that waits for it; UINT64_MAX: none does */
    uint64_t least_used;   /* what all that want the CPU have had at least, at any time until now */
    struct gdt gdt;
    struct tss tss;
};

/* Interrupts that must work on any stack have their own (SDM volume 3, "Interrupt Stack Table"). */
enum ist { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_COUNT };

struct cpu_block {
    alignas(CPU_BLOCK_SIZE) struct cpu cpu;
    alignas(CPU_IST_SIZE) uint8_t ist_stack[IST_COUNT - 1][CPU_IST_SIZE];
    uint8_t stack[CPU_BLOCK_SIZE - IST_COUNT * CPU_IST_SIZE];
};

_Static_assert(sizeof(struct cpu_block) == CPU_BLOCK_SIZE,
               "the stack pointer must lead to the block");

/* The boot CPU's block; Lintel runs on this one CPU, the others sleep (hypervisor/cpu/park.h). */
extern struct cpu_block boot_cpu;

static inline struct cpu *this_cpu(void)
{
    uint64_t rsp;

    __asm__("mov %%rsp, %0" : "=r"(rsp));
    return (struct cpu *)((rsp - 1) & ~(uint64_t)(CPU_BLOCK_SIZE - 1));
}

/* Loads GDT, TSS, IDT and the control registers that the whole run keeps. Once for each CPU. */
void cpu_init(struct cpu_block *block);

/* IA32_BIOS_SIGN_ID of this CPU: its microcode's revision in the high half; 0 on emulators without
 * one. */
uint64_t cpu_microcode(void);

#endif
