/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The per-CPU block: one aligned piece of memory that holds a CPU's data and all of its stacks, so
 * that the data is found from the stack pointer, whichever stack that is. Ring 0 uses no GS and
 * never executes SWAPGS.
 *
 * What belongs to one CPU is declared by the file that uses it, with PER_CPU: the linker gives it a
 * place in the block, and its symbol is the offset there.
 */
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "hypervisor/cpu/gdt.h"
#include "hypervisor/cpu/layout.h"

#define CPU_DATA_SIZE 0x4000
#define CPU_IST_SIZE  0x1000

#define PER_CPU __attribute__((section(".percpu")))

/* The variable `name` of the CPU whose block this is; of the CPU that runs this. */
#define CPU_OF(block, name) (*(__typeof__(&(name)))((uint64_t)(block) + (uint64_t)&(name)))
#define THIS_CPU(name)      CPU_OF(this_cpu(), name)

/* Interrupts that must work on any stack have their own (SDM volume 3, "Interrupt Stack Table"). */
enum ist { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_COUNT };

struct cpu_block {
    alignas(CPU_BLOCK_SIZE) uint8_t data[CPU_DATA_SIZE]; /* what PER_CPU declares */
    uint8_t ist_stack[IST_COUNT - 1][CPU_IST_SIZE];
    uint8_t stack[CPU_BLOCK_SIZE - CPU_DATA_SIZE - (IST_COUNT - 1) * CPU_IST_SIZE];
};

_Static_assert(sizeof(struct cpu_block) == CPU_BLOCK_SIZE,
               "the stack pointer must lead to the block");

/* The block of the CPU that booted; those of the others are in the arena (hypervisor/cpu/cpus.h).
 */
extern struct cpu_block boot_cpu;

extern PER_CPU uint32_t cpu_number; /* 0 booted */

extern PER_CPU struct gdt cpu_gdt;
extern PER_CPU struct tss cpu_tss;

static inline struct cpu_block *this_cpu(void)
{
    uint64_t rsp;

    __asm__("mov %%rsp, %0" : "=r"(rsp));
    return (struct cpu_block *)((rsp - 1) & ~(uint64_t)(CPU_BLOCK_SIZE - 1));
}

/* Loads GDT, TSS, IDT and the control registers that the whole run keeps. Once for each CPU. */
void cpu_init(struct cpu_block *block);

/* IA32_BIOS_SIGN_ID of this CPU: its microcode's revision in the high half; 0 on emulators without
 * one. */
uint64_t cpu_microcode(void);
