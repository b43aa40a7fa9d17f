/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/instructions.h: the instructions are functions, and each test has
 * the machine. */
#pragma once

#include <stdint.h>

#include "lib/port.h"

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t rdtsc(void);
uint64_t rdmsr(uint32_t index);
void wrmsr(uint32_t index, uint64_t value);
void rdmsrlist(const uint64_t *index, uint64_t *value, uint64_t set);
void wrmsrlist(const uint64_t *index, const uint64_t *value, uint64_t set);
uint64_t read_cr0(void);
void write_cr0(uint64_t value);
uint64_t read_cr4(void);
void write_cr4(uint64_t value);
void write_dr7(uint64_t value);
void wbinvd(void);
uint32_t mmio_read(const volatile uint32_t *reg);
void mmio_write(volatile uint32_t *reg, uint32_t value);

static inline void cpu_relax(void)
{
}
