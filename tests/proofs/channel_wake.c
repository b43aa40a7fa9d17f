/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No notification is lost: one side sleeps, or finds the ring full, and the other one puts, or
 * gets, and flushes, in the middle of it, before any of its accesses; and the other way round. That
 * loads and stores of two processors are seen in the order that fences make is channel_model.c's.
 */
#include "tests/proofs/channel.h"

static struct channel_end client, server;
static uint8_t entry[CHANNEL_ENTRY_SIZE];
static bool outer_is_server, over, fills;
static bool asleep[2], did[2], notified[2]; /* [1]: the server */

static bool act(bool is_server);

/* Now, or later: the other side comes between. */
static void between(void)
{
    if (over || nondet_bool())
        return;
    over = true;
    act(!outer_is_server);
}

uint32_t shared_load(const uint32_t *at)
{
    between();
    return *at;
}

void shared_store(uint32_t *at, uint32_t value)
{
    between();
    *at = value;
}

void shared_fence(void)
{
}

void shared_copy(void *to, const void *from, size_t size)
{
}

static unsigned running;

void gate_notify(unsigned channel)
{
    notified[!running] = true;
}

/* The ring to the server: its client fills it, and it empties it. With `fills` the client is the
 * one that waits, for room. */
static bool act(bool is_server)
{
    unsigned before = running;

    running = is_server;
    if (is_server != fills) { /* who waits */
        if (is_server)
            asleep[1] = !channel_get(&server, entry) && channel_sleep(&server);
        else
            asleep[0] = !channel_put(&client, entry);
    } else { /* who ends that */
        did[is_server] = is_server ? channel_get(&server, entry) : channel_put(&client, entry);
        channel_flush(is_server ? &server : &client);
    }
    running = before;
    return true;
}

void proof(void)
{
    client = end_make(false);
    server = end_make(true);
    client.got = client.put = server.got = server.put = false;
    pages.ring[0].head = server.head;
    pages.ring[0].tail = client.tail;
    pages.ring[0].sleeps = server.sleeps;
    pages.ring[0].blocked = client.blocked;
    fills = nondet_bool();
    outer_is_server = nondet_bool();
    suppose(client.tail - server.head == (fills ? CHANNEL_ENTRIES : 0));
    running = outer_is_server;
    act(outer_is_server);
    if (!over) {
        over = true;
        act(!outer_is_server);
    }
    prove(!asleep[!fills] || !did[fills] || notified[!fills]);
    prove(fills || did[0]);
}
