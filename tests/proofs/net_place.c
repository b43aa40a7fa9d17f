/* SPDX-License-Identifier: BSD-2-Clause */
/* However many frames the other side says it has taken: there is room for a frame in the own half,
 * or none at all, and where it lies is kept so that this is so with the next one. */
#include "tests/proofs/net.h"

uint32_t shared_load(const uint32_t *at)
{
    return nondet_u32();
}

void shared_store(uint32_t *at, uint32_t value)
{
}

void shared_fence(void)
{
}

void shared_copy(void *to, const void *from, size_t size)
{
}

void gate_notify(unsigned channel)
{
}

void proof(void)
{
    uint32_t size = nondet_u32(), watched = nondet_u32();
    struct net_entry e = {.size = size};

    net_make();
    for (uint32_t i = 0; i < CHANNEL_ENTRIES; i++)
        suppose(is_sound(i));
    suppose(size <= NET_FRAME_MAX && watched < CHANNEL_ENTRIES);

    uint8_t *place = net_place(&end, size);

    prove(is_sound(watched));
    if (place == NULL)
        return;
    prove(place >= end.own && (uint64_t)(place - end.own) + size <= NET_HALF);
    prove((uint64_t)(place - end.own) % NET_ALIGNMENT == 0);
    net_put(&end, &e);
    prove(e.offset <= NET_HALF && size <= NET_HALF - e.offset);
    prove(is_sound(watched));
}
