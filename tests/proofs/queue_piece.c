/* SPDX-License-Identifier: BSD-2-Clause */
/* One descriptor, taken into a chain that has any number of pieces already. */
#include "tests/proofs/queue.h"

static uint16_t guest_load(const uint16_t *at, int order)
{
    prove(false); /* a descriptor is looked at after it was copied */
    return 0;
}

static void guest_store(uint16_t *at, uint16_t value, int order)
{
    prove(false);
}

static void guest_copy(void *to, const void *from, size_t size)
{
    prove(false);
}

struct descriptor nondet_descriptor(void);
struct virtq_chain nondet_chain(void);

void proof(void)
{
    struct descriptor d = nondet_descriptor();
    static struct virtq_chain chain;
    unsigned before;

    queue_make();
    chain = nondet_chain();
    suppose(chain.count < VIRTQ_PIECES && chain.readable <= chain.count);
    before = chain.count;
    if (!add(&queue, &chain, &d))
        return;
    prove(chain.count == before + (d.size > 0) && chain.readable <= chain.count);
    if (d.size > 0) {
        prove(is_ram(d.address, d.size));
        prove(chain.pieces[before].address == d.address && chain.pieces[before].size == d.size);
        prove((before < chain.readable) == !(d.flags & DESCRIPTOR_WRITE));
    }
}
