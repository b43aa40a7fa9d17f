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

/* The bytes from an offset on that lie in one piece: where, and how many; `offset` becomes that of
 * the next ones. 0: all are in others. */
static inline uint32_t run(const struct guest_piece *piece, uint64_t *offset, uint32_t most,
                           uint64_t *address)
{
    uint64_t skipped = *offset;

    if (__builtin_expect(skipped >= piece->size, 0)) {
        *offset -= piece->size;
        return 0;
    }
    *offset = 0;
    *address = piece->address + skipped;
    return (uint32_t)min_u64(most, piece->size - skipped);
}

uint32_t guest_pieces_read_many(const struct guest_memory *m, const struct guest_piece *pieces,
                                unsigned count, uint64_t offset, void *to, uint32_t size)
{
    uint64_t address = 0;
    uint32_t done = 0;

    for (; count > 0 && done < size; pieces++, count--) {
        uint32_t here = run(pieces, &offset, size - done, &address);

        memcpy((uint8_t *)to + done, m->base + address, here);
        done += here;
    }
    return done;
}

uint32_t guest_pieces_write_many(const struct guest_memory *m, const struct guest_piece *pieces,
                                 unsigned count, uint64_t offset, const void *from, uint32_t size)
{
    uint64_t address = 0;
    uint32_t done = 0;

    for (; count > 0 && done < size; pieces++, count--) {
        uint32_t here = run(pieces, &offset, size - done, &address);

        memcpy(m->base + address, (const uint8_t *)from + done, here);
        done += here;
    }
    return done;
}
