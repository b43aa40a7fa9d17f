/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of guest memory that together are one buffer: what a device reads or writes. */
#ifndef MONITOR_GUEST_PIECES_H
#define MONITOR_GUEST_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/guest_memory.h"

/* All of it is RAM: who makes one has checked that. */
struct guest_piece {
    uint64_t address; /* guest-physical */
    uint32_t size;    /* bytes */
};

/* How many bytes they have together. */
uint64_t guest_pieces_size(const struct guest_piece *pieces, unsigned count);

/* Copies bytes out of a buffer from an offset on, or into it; how many it had. */
uint32_t guest_pieces_read(const struct guest_memory *memory, const struct guest_piece *pieces,
                           unsigned count, uint64_t offset, void *to, uint32_t size);
uint32_t guest_pieces_write(const struct guest_memory *memory, const struct guest_piece *pieces,
                            unsigned count, uint64_t offset, const void *from, uint32_t size);

#endif
