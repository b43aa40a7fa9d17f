/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue in a guest's memory: the source, with its accesses to that memory in the proof's
 * hands. */
#pragma once

#include "lib/string.h"
#include "tests/proofs/guest.h"

/* What monitor/virtio/queue.c touches guest memory by; each proof says what they do. */
static uint16_t guest_load(const uint16_t *at, int order);
static void guest_store(uint16_t *at, uint16_t value, int order);
static void guest_copy(void *to, const void *from, size_t size);

#define __atomic_load_n  guest_load
#define __atomic_store_n guest_store
#define __builtin_memcpy guest_copy

#include "monitor/virtio/queue.c"

#undef __atomic_load_n
#undef __atomic_store_n
#undef __builtin_memcpy

static struct virtqueue queue;

/* A queue of any size that was enabled, at any positions. */
static inline void queue_make(void)
{
    unsigned power = nondet_u8();

    guest_make();
    suppose(power <= 7);
    queue.size = (uint16_t)(1u << power);
    queue.at.descriptors = nondet_u64();
    queue.at.available = nondet_u64();
    queue.at.used = nondet_u64();
    queue.event_idx = nondet_bool();
    queue.indirect = nondet_bool();
    suppose(virtq_enable(&queue, &guest));
    queue.next_available = nondet_u16();
    queue.next_used = nondet_u16();
    queue.notified = nondet_u16();
}

_Static_assert(1u << 7 == VIRTQ_MAX_SIZE, "the sizes that there are");
