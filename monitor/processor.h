/* SPDX-License-Identifier: BSD-2-Clause */
/* What the monitor must know of the processor that it and its guest run on. */
#pragma once

#include <stdint.h>

#include "monitor/guest_memory.h"

/* Sets what a walk depends on (SDM volume 2, "CPUID": leaves 80000001h and 80000008h). */
void processor_page_tables(struct guest_memory *memory);

/* The processor's CPUID: EAX, EBX, ECX, EDX. */
void processor_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
