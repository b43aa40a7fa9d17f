/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain is taken, whatever is in memory, and changes there meanwhile. */
#include "monitor/virtio/queue.h"

#undef VIRTQ_PIECES
#define VIRTQ_PIECES 3u

#include "tests/proofs/queue.h"

static uint16_t guest_load(const uint16_t *at, int order)
{
    prove(is_ram(guest_address(at), sizeof(*at)));
    return nondet_u16();
}

/* The one field that the device writes then: 2.7.10. */
static void guest_store(uint16_t *at, uint16_t value, int order)
{
    prove(guest_address(at) == queue.at.used + 4 + 8 * (uint64_t)queue.size);
    prove(queue.event_idx);
}

/* A descriptor, in two halves. */
static void guest_copy(void *to, const void *from, size_t size)
{
    static const uint8_t *second;

    prove(size == sizeof(struct descriptor) / 2);
    if (second == NULL) {
        prove(is_ram(guest_address(from), sizeof(struct descriptor)));
        second = (const uint8_t *)from + size;
    } else {
        prove(from == second);
        second = NULL;
    }
    *(uint64_t *)to = nondet_u64();
}

void proof(void)
{
    static struct virtq_chain chain;
    unsigned n = nondet_u8();

    queue_make();
    suppose(n < VIRTQ_PIECES);
    if (virtq_next(&queue, &chain) != VIRTQ_CHAIN)
        return;
    prove(chain.count <= VIRTQ_PIECES && chain.readable <= chain.count);
    prove(n >= chain.count || is_ram(chain.pieces[n].address, chain.pieces[n].size));
}
