/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk whose sectors hold anything, at each reading. */
#pragma once

#include "drivers/gpt.c"
#include "tests/proofs/proof.h"

struct sector {
    uint8_t bytes[BLOCK_SECTOR];
};

struct sector nondet_sector(void);
struct header nondet_header(void);
struct entry nondet_entry(void);
struct gpt nondet_gpt(void);

/* What read_header lets through, said a second time. */
static inline bool header_is_sound(const struct header *h, uint64_t sectors)
{
    uint64_t size = (uint64_t)h->entry_count * h->entry_size,
             end = h->entry_lba + (size + 511) / 512;

    return h->size >= 92 && h->size <= 512 && h->entry_count >= 1 && h->entry_count <= 1024 &&
           (h->entry_size == 128 || h->entry_size == 256 || h->entry_size == 512 ||
            h->entry_size == 1024 || h->entry_size == 2048 || h->entry_size == 4096) &&
           2 <= h->first_usable && h->first_usable <= h->last_usable &&
           h->last_usable <= sectors - 2 && 2 <= h->entry_lba && h->entry_lba < end &&
           end <= sectors && (end <= h->first_usable || h->last_usable < h->entry_lba);
}
