/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/channel.h"

#include "runtime/gate.h"
#include "runtime/shared.h"

static uint8_t *entry_at(struct channel_ring *ring, uint32_t position)
{
    return ring->entry[position % CHANNEL_ENTRIES];
}

/* A position that makes no sense: an empty ring. */
static bool is_empty(struct channel_end *c)
{
    return shared_load(&c->in->tail) - c->head - 1 >= CHANNEL_ENTRIES;
}

static void set_sleeps(struct channel_end *c, bool sleeps)
{
    c->sleeps = sleeps;
    shared_store(&c->in->sleeps, sleeps);
}

static void set_blocked(struct channel_end *c, bool blocked)
{
    c->blocked = blocked;
    shared_store(&c->out->blocked, blocked);
}

void channel_open(struct channel_end *c, void *pages, unsigned number, bool server)
{
    struct channel *shared = pages;

    *c = (struct channel_end){
        .number = number, .in = &shared->ring[!server], .out = &shared->ring[server]};
    c->head = shared_load(&c->in->head);
    c->tail = shared_load(&c->out->tail);
    set_sleeps(c, false);
    set_blocked(c, false);
    if (server)
        gate_notify(number);
}

/* The fences: a store and the load behind it, where the other side does the same the other way
 * round. Without them both could load what was there before. */

bool channel_has_room(struct channel_end *c, uint32_t limit)
{
    if (channel_used(c) < limit)
        return true;
    if (c->blocked)
        return false;
    set_blocked(c, true);
    shared_fence();
    return channel_used(c) < limit;
}

bool channel_put(struct channel_end *c, const void *entry)
{
    if (!channel_has_room(c, CHANNEL_ENTRIES))
        return false;
    if (c->blocked)
        set_blocked(c, false);
    shared_copy(entry_at(c->out, c->tail), entry, CHANNEL_ENTRY_SIZE);
    shared_store(&c->out->tail, ++c->tail);
    c->put = true;
    return true;
}

/* A position that makes no sense: all have been taken. */
uint32_t channel_used(struct channel_end *c)
{
    uint32_t used = c->tail - shared_load(&c->out->head);

    return used <= CHANNEL_ENTRIES ? used : 0;
}

bool channel_peek(struct channel_end *c, void *entry)
{
    if (is_empty(c))
        return false;
    shared_copy(entry, entry_at(c->in, c->head), CHANNEL_ENTRY_SIZE);
    return true;
}

void channel_take(struct channel_end *c)
{
    shared_store(&c->in->head, ++c->head);
    c->got = true;
}

bool channel_get(struct channel_end *c, void *entry)
{
    if (!channel_peek(c, entry))
        return false;
    channel_take(c);
    return true;
}

void channel_flush(struct channel_end *c)
{
    if (!c->put && !c->got)
        return;
    shared_fence();
    if ((c->put && shared_load(&c->out->sleeps) != 0) ||
        (c->got && shared_load(&c->in->blocked) != 0))
        gate_notify(c->number);
    c->put = c->got = false;
}

bool channel_sleep(struct channel_end *c)
{
    if (!c->sleeps)
        set_sleeps(c, true);
    shared_fence();
    return is_empty(c);
}

void channel_awake(struct channel_end *c)
{
    if (c->sleeps)
        set_sleeps(c, false);
}
