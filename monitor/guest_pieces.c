/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers in pieces: see guest_pieces.h. */
#include "monitor/guest_pieces.h"

#include "lib/bits.h"
#include "lib/string.h"

uint64_t guest_pieces_size(const struct guest_piece *pieces, unsigned count)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += pieces[i].size;
    return sum;
}

/* What a piece has of the bytes that are wanted; `offset` and `size` become what the next one is
 * asked for. */
static struct guest_piece share(const struct guest_piece *piece, uint64_t *offset, uint64_t *size)
{
    uint64_t skipped = min_u64(*offset, piece->size), here = min_u64(*size, piece->size - skipped);

    *offset -= skipped;
    *size -= here;
    return (struct guest_piece){piece->address + skipped, (uint32_t)here};
}

uint32_t guest_pieces_read(const struct guest_memory *m, const struct guest_piece *pieces,
                           unsigned count, uint64_t offset, void *to, uint32_t size)
{
    uint64_t left = size;
    uint8_t *next = to;

    for (unsigned i = 0; i < count && left > 0; i++) {
        struct guest_piece p = share(&pieces[i], &offset, &left);

        memcpy(next, m->base + p.address, p.size);
        next += p.size;
    }
    return size - (uint32_t)left;
}

uint32_t guest_pieces_write(const struct guest_memory *m, const struct guest_piece *pieces,
                            unsigned count, uint64_t offset, const void *from, uint32_t size)
{
    uint64_t left = size;
    const uint8_t *next = from;

    for (unsigned i = 0; i < count && left > 0; i++) {
        struct guest_piece p = share(&pieces[i], &offset, &left);

        memcpy(m->base + p.address, next, p.size);
        next += p.size;
    }
    return size - (uint32_t)left;
}
