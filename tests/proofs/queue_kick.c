/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No kick is missed (2.7.10): when the device finds nothing, then, with EVENT_IDX, it has said
 * before that it wants to hear of exactly the next entry, and looked once more afterwards.
 */
#include "tests/proofs/queue.h"

static bool told, looked_after;
static uint16_t told_index, seen;

static uint16_t guest_load(const uint16_t *at, int order)
{
    uint16_t value = nondet_u16();

    if (guest_address(at) == queue.at.available + 2) {
        seen = value;
        looked_after = told;
    }
    return value;
}

static void guest_store(uint16_t *at, uint16_t value, int order)
{
    prove(queue.event_idx);
    prove(guest_address(at) == queue.at.used + 4 + 8 * (uint64_t)queue.size);
    told = true;
    looked_after = false;
    told_index = value;
}

static void guest_copy(void *to, const void *from, size_t size)
{
    suppose(false); /* there is something: another proof's */
}

void proof(void)
{
    static struct virtq_chain chain;
    uint16_t before;

    queue_make();
    before = queue.next_available;
    if (virtq_next(&queue, &chain) != VIRTQ_EMPTY)
        return;
    prove(queue.next_available == before && seen == before);
    prove(!queue.event_idx || (told && looked_after && told_index == before));
}
