/* SPDX-License-Identifier: BSD-2-Clause */
/* The entropy device: see rng.h. */
#include "monitor/virtio/rng.h"

#include "monitor/entropy.h"

#define BUFFER 256u /* bytes at most into one buffer: a device may use less of it (5.4.6.1) */

static void kick(struct virtio *v, unsigned queue)
{
    struct virtqueue *q = &v->r.queue[queue];
    struct virtq_chain chain;
    uint64_t bytes[BUFFER / 8];

    while (virtio_next(v, queue, &chain)) {
        uint32_t count = 8 * entropy(bytes, BUFFER / 8);

        if (count == 0) { /* 5.4.6.1: a buffer gets a byte at least */
            virtio_fail(v);
            break;
        }
        virtq_put(q, chain.head,
                  guest_pieces_write(v->memory, chain.pieces + chain.readable,
                                     chain.count - chain.readable, 0, bytes, count));
    }
    virtio_interrupt(v, queue);
}

static const struct virtio_kind kind = {.id = 4, .class = 0xff0000, .queues = 1, .kick = kick};

void rng_init(struct rng *rng, struct pci *pci, const struct guest_memory *memory)
{
    rng->virtio.offered = VIRTIO_F_ALL_DEVICES;
    if (entropy_there())
        virtio_init(&rng->virtio, &kind, rng, NULL, pci, memory);
}
