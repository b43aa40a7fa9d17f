/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/cpu.h: one CPU, whose block is where the linker has put it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PER_CPU
#define CPU_OF(block, name) (name)
#define THIS_CPU(name)      (name)

struct cpu_block;

static inline struct cpu_block *this_cpu(void)
{
    return NULL;
}

uint64_t cpu_microcode(void);
