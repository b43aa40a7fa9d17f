/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a channel (abi/channel.h). The other end may be hostile: whatever it writes, nothing
 * outside of the shared pages is touched, and no call here lasts longer.
 *
 * Who wants to wait: take and put until channel_get and channel_put say false, flush, and if
 * channel_sleep says true, wait for EVENT_CHANNEL. No notification is lost.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/channel.h"

struct channel_end {
    struct channel_ring *in, *out; /* the shared rings: which is read, which is written */
    unsigned number;               /* of the channel, for gate_notify */
    uint32_t head, tail;           /* own positions: the shared ones are for the other side */
    bool got, put;                 /* since the last flush */
    bool sleeps, blocked;          /* what the other side was told */
};

/* Takes up this end at `pages`, where the shared positions say, which are 0 at first: a process
 * that was started again goes on where its predecessor was. A server tells its client that it is
 * there.
 */
void channel_open(struct channel_end *c, void *pages, unsigned number, bool server);

/* Copies an entry of CHANNEL_ENTRY_SIZE bytes into the ring to the other side. False: it is full,
 * and EVENT_CHANNEL comes when it no longer is. */
bool channel_put(struct channel_end *c, const void *entry);

/* Whether fewer entries than that are under way. False: EVENT_CHANNEL comes when the other side has
 * taken some. Who asks for 1 before it puts gathers small pieces while the other side is busy. */
bool channel_has_room(struct channel_end *c, uint32_t limit);

/* How many entries it has not taken. */
uint32_t channel_used(struct channel_end *c);

/* Takes one out of the ring from there. False: there is none. */
bool channel_get(struct channel_end *c, void *entry);

/* The two halves of that, for who has to do something between them: a copy of the next one, and
 * that it is taken. */
bool channel_peek(struct channel_end *c, void *entry);
void channel_take(struct channel_end *c);

/* Behind any number of the two: notifies the other side if it waits for what they did. */
void channel_flush(struct channel_end *c);

/* True: the ring from the other side is empty, and EVENT_CHANNEL comes when it no longer is. False:
 * there is an entry. */
bool channel_sleep(struct channel_end *c);

/* After that: the next entries need no notification. */
void channel_awake(struct channel_end *c);
