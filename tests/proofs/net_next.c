/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever the other side has written: what comes out is a frame as this side takes it, whole in
 * that side's half, with its checksum's field in it. */
#include "tests/proofs/net.h"

static struct net_entry e;

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

/* The entry is anything. */
void shared_copy(void *to, const void *from, size_t size)
{
    e.what = nondet_u32();
    e.flags = nondet_u32();
    e.offset = nondet_u32();
    e.size = nondet_u32();
    e.gso = nondet_u16();
    e.segment_size = nondet_u16();
    e.checksum_start = nondet_u16();
    e.checksum_offset = nondet_u16();
}

void gate_notify(unsigned channel)
{
}

void proof(void)
{
    const uint8_t *frame;

    net_make();
    frame = net_next(&end, &e);
    if (frame == NULL)
        return;
    prove(frame == end.other + e.offset && (uint64_t)e.offset + e.size <= NET_HALF);
    prove(e.size >= NET_FRAME_MIN && e.size <= NET_FRAME_MAX);
    prove(e.gso <= NET_GSO_TCP6 && (e.gso != NET_GSO_NONE || e.size <= NET_FRAME_MTU));
    prove(e.gso == NET_GSO_NONE || e.segment_size > 0);
    prove(!(e.flags & NET_NEEDS_CHECKSUM) ||
          (end.takes & NET_TAKES_CHECKSUM &&
           (uint32_t)e.checksum_start + e.checksum_offset + 2 <= e.size));
    prove(e.gso != NET_GSO_TCP4 || end.takes & NET_TAKES_TCP4);
    prove(e.gso != NET_GSO_TCP6 || end.takes & NET_TAKES_TCP6);
}
