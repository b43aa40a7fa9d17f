/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of hypervisor/cpu/instructions.h: the test has the clock. */
#pragma once

#include <stdint.h>

uint64_t rdtsc(void);
void sti_hlt_cli(void);
