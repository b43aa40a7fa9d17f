/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own memory: one piece of RAM, taken at boot and never given back. Everything
 * that it needs for VMs is allocated while they are created; on an exit nothing is but the table by
 * which 2 MiB become executable (vmx/ept.h), for each of which it has room.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* start: 2 MiB aligned, physical, below 4 GiB; size in bytes; and that many frames behind it, which
 * are never mapped. */
void arena_init(uint64_t start, uint64_t size, uint64_t frames);

/* Zeroed memory, page-aligned, a multiple of a page long; panics when there is none left:
 * arena_size was wrong. */
void *arena_alloc(size_t size);

/* A 4 KiB frame that is in no mapping (R5); its contents are unknown. Returns
 * its physical address. */
uint64_t arena_frame(void);

/* Between pointers into the arena or the image, and physical addresses. */
uint64_t phys_of(const void *virt);
void *virt_of(uint64_t phys);

/* Where the image was loaded; before anything else. */
void arena_set_image(uint64_t image_phys);
