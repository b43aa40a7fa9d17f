/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/instructions.h: what waits lets the other CPU run. */
#pragma once

#include <stdint.h>

uint64_t rdtsc(void);
uint64_t rdtsc_after_loads(void);
uint64_t read_cr3(void);
void write_cr3(uint64_t value);
void cpu_relax(void);
void sti_hlt_cli(void);
