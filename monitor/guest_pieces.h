/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of guest memory that together are one buffer: what a device reads or writes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"
#include "monitor/guest_memory.h"

/* All of it is RAM: who makes one has checked that. */
struct guest_piece {
    uint64_t address; /* guest-physical */
    uint32_t size;    /* bytes */
};

/* How many bytes they have together. */
uint64_t guest_pieces_size(const struct guest_piece *pieces, unsigned count);

/* guest_pieces_read and guest_pieces_write where they are in more than the first piece. */
uint32_t guest_pieces_read_many(const struct guest_memory *memory, const struct guest_piece *pieces,
                                unsigned count, uint64_t offset, void *to, uint32_t size);
uint32_t guest_pieces_write_many(const struct guest_memory *memory,
                                 const struct guest_piece *pieces, unsigned count, uint64_t offset,
                                 const void *from, uint32_t size);

static inline bool guest_piece_has(const struct guest_piece *piece, uint64_t offset, uint32_t size)
{
    return offset <= piece->size && size <= piece->size - offset;
}

/* Copies bytes out of a buffer from an offset on, or into it; how many it had. */
static inline uint32_t guest_pieces_read(const struct guest_memory *memory,
                                         const struct guest_piece *pieces, unsigned count,
                                         uint64_t offset, void *to, uint32_t size)
{
    if (count == 0 || !guest_piece_has(pieces, offset, size))
        return guest_pieces_read_many(memory, pieces, count, offset, to, size);
    memcpy(to, memory->base + pieces->address + offset, size);
    return size;
}

static inline uint32_t guest_pieces_write(const struct guest_memory *memory,
                                          const struct guest_piece *pieces, unsigned count,
                                          uint64_t offset, const void *from, uint32_t size)
{
    if (count == 0 || !guest_piece_has(pieces, offset, size))
        return guest_pieces_write_many(memory, pieces, count, offset, from, size);
    memcpy(memory->base + pieces->address + offset, from, size);
    return size;
}
