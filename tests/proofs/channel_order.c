/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is lost, doubled or overtaken: one step of either side, from any state of a ring between
 * two that keep to the protocol. `watched` is the position of any entry that is under way.
 */
#include "tests/proofs/channel.h"

static struct channel_end client, server;
static uint8_t entry[CHANNEL_ENTRY_SIZE];
static uint32_t watched;
static uint64_t copied = UINT64_MAX; /* the slot that was */

uint32_t shared_load(const uint32_t *at)
{
    return *at;
}

void shared_store(uint32_t *at, uint32_t value)
{
    *at = value;
}

void shared_fence(void)
{
}

void shared_copy(void *to, const void *from, size_t size)
{
    copied = slot_of(from == entry ? to : from, &pages.ring[0]);
    prove(from != entry || copied != watched % CHANNEL_ENTRIES); /* it was not taken yet */
}

void gate_notify(unsigned channel)
{
}

/* From the state that each step begins with, and ends with. */
static bool is_sound(void)
{
    return pages.ring[0].head == server.head && pages.ring[0].tail == client.tail &&
           client.tail - server.head <= CHANNEL_ENTRIES;
}

static bool is_under_way(uint32_t position)
{
    return position - server.head < client.tail - server.head;
}

void proof(void)
{
    uint32_t head, tail;

    client = end_make(false);
    server = end_make(true);
    head = pages.ring[0].head = server.head;
    tail = pages.ring[0].tail = client.tail;
    watched = nondet_u32();
    suppose(is_sound() && is_under_way(watched));
    if (nondet_bool()) {
        bool put = channel_put(&client, entry);

        prove(put == (tail - head < CHANNEL_ENTRIES));
        prove(!put || copied == tail % CHANNEL_ENTRIES);
        prove(client.tail == tail + put && is_under_way(watched));
    } else {
        prove(channel_get(&server, entry)); /* there is one */
        prove(copied == head % CHANNEL_ENTRIES && server.head == head + 1);
        prove(is_under_way(watched) == (watched != head));
    }
    prove(is_sound());
}
