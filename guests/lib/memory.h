/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: RAM by pages, and mappings beside the identity map of the first 4 GiB. */
#pragma once

#include <stdint.h>

#define PAGE_PRESENT    0x001ULL
#define PAGE_WRITE      0x002ULL
#define PAGE_USER       0x004ULL
#define PAGE_NO_EXECUTE 0x8000000000000000ULL

/* Where linear addresses are free: above the identity map. */
#define MAP_BASE 0x8000000000ULL

/* Learns how much RAM follows the kernel. One of the two addresses is 0.
 * Called before guest_main. */
void memory_init(uint64_t boot_params, uint64_t multiboot_info);

/* The end of the RAM that the kernel lies in, physical. */
uint64_t memory_end(void);

/* A zeroed page; linear = physical. */
void *page_alloc(void);

/* Maps one 4 KiB page with PAGE_* flags, for linear addresses from MAP_BASE. 0 as
 * flags unmaps it. */
void map_page(uint64_t linear, uint64_t physical, uint64_t flags);
