/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are in the hypervisor's half of the address space; for C and assembly. */
#pragma once

/*
 * Physical address p appears at PHYS_OFFSET + p, but only where host_memory.c maps it: the arena,
 * device registers, the monitor's image and the page that starts CPUs. Guest memory
 * never does.
 */
#define PHYS_OFFSET 0xffff800000000000
/* One page for each CPU's use of somebody else's memory: see host_memory.h. */
#define WINDOW_BASE 0xfffffe0000000000
/* The image, as linked. */
#define IMAGE_BASE 0xffffffff80000000

#define LARGE_PAGE_SIZE 0x200000
#define CPU_BLOCK_SIZE  0x10000
#define CPUS_MAX        256 /* a machine with more is refused */

#define PML4_SLOT(a) (((a) >> 39) & 511)
#define PDPT_SLOT(a) (((a) >> 30) & 511)
