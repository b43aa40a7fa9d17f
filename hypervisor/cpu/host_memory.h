/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's address space: W^X, only what it needs, and no guest memory but through
 * one window page for each CPU. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/paging.h"

/* Builds the final tables (image, arena, window) and switches to them. */
void host_memory_init(uint64_t arena_start, uint64_t arena_size);

/* Maps physical memory at virt_of(phys); flags as for paging_map. */
void *host_map(uint64_t phys, uint64_t size, uint64_t flags);

/* Device registers: not cached. */
volatile uint32_t *host_map_registers(uint64_t phys, uint64_t size);

/* A root for a monitor's address space, with the hypervisor's half in it. */
uint64_t *host_new_root(void);

/*
 * Maps one page of somebody else's memory (a guest's, or a VMCS while its revision is written),
 * until window_close, on this CPU. phys may have an offset in the page; the result has it too.
 */
void *window_open(uint64_t phys);
void window_close(void);

/* Clears memory that is nobody's yet; whole pages. */
void window_clear(uint64_t phys, uint64_t size);
