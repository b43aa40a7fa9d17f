/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/cpu.h: several CPUs, each a thread, with blocks of their own. */
#pragma once

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "hypervisor/cpu/layout.h"

/* The linker gives the section's start a name. */
#define PER_CPU __attribute__((section("percpu")))
extern uint8_t __start_percpu[];

#define CPU_OF(block, name)                                                                        \
    (*(__typeof__(&(name)))((uint64_t)(block) + (uint64_t)&(name) - (uint64_t)__start_percpu))
#define THIS_CPU(name) CPU_OF(this_cpu(), name)

struct cpu_block {
    alignas(CPU_BLOCK_SIZE) uint8_t data[CPU_BLOCK_SIZE];
};

extern struct cpu_block boot_cpu;
extern uint32_t cpu_number;

struct cpu_block *this_cpu(void);
void cpu_init(struct cpu_block *block);
