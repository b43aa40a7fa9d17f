/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/cpu.h: one CPU, with stacks for the interrupts that have their
 * own. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/gdt.h"

#define CPU_IST_SIZE 0x100

#define PER_CPU
#define CPU_OF(block, name) (name)

enum ist { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_COUNT };

struct cpu_block {
    uint8_t ist_stack[IST_COUNT - 1][CPU_IST_SIZE];
};

void cpu_init(struct cpu_block *block);
uint64_t cpu_microcode(void);
