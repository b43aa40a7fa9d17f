/* SPDX-License-Identifier: BSD-2-Clause */
/* The other side writes anything, at any time: an end touches what it is to touch, and nothing
 * else. */
#include "tests/proofs/channel.h"

static struct channel_end end;
static uint8_t entry[CHANNEL_ENTRY_SIZE];
static uint32_t loaded;
static unsigned notified;

uint32_t shared_load(const uint32_t *at)
{
    prove(at == &end.in->tail || at == &end.in->blocked || at == &end.out->head ||
          at == &end.out->sleeps);
    loaded = nondet_u32();
    return loaded;
}

void shared_store(uint32_t *at, uint32_t value)
{
    prove(at == &end.in->head || at == &end.in->sleeps || at == &end.out->tail ||
          at == &end.out->blocked);
}

void shared_fence(void)
{
}

void shared_copy(void *to, const void *from, size_t size)
{
    prove(size == CHANNEL_ENTRY_SIZE && (to == entry || from == entry));
    if (to == entry)
        prove(slot_of(from, end.in) < CHANNEL_ENTRIES);
    else
        prove(slot_of(to, end.out) < CHANNEL_ENTRIES);
}

void gate_notify(unsigned channel)
{
    notified++;
}

void proof(void)
{
    uint32_t head, tail;

    end = end_make(nondet_bool());
    head = end.head;
    tail = end.tail;
    if (channel_get(&end, entry))
        prove(loaded - head - 1 < CHANNEL_ENTRIES && end.head == head + 1);
    else
        prove(end.head == head);
    prove(end.tail == tail);
    if (channel_put(&end, entry))
        prove(end.tail == tail + 1);
    else
        prove(end.tail == tail && tail - loaded == CHANNEL_ENTRIES && end.blocked);
    prove(channel_used(&end) <= CHANNEL_ENTRIES);
    channel_has_room(&end, nondet_u32());
    channel_flush(&end);
    prove(notified <= 1 && !end.got && !end.put);
    channel_sleep(&end);
    channel_awake(&end);
    prove(!end.sleeps);
}
