/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a channel to a network (abi/net.h), a client's or a server's. The other end may be
 * hostile: an entry from there is copied, checked and then used, and where own frames lie is known
 * here alone.
 *
 * Who wants to wait does as with any channel: takes and puts until there is no more, net_flush, and
 * channel_sleep.
 */
#pragma once

#include "abi/net.h"
#include "runtime/channel.h"

#define NET_ADDRESS 6u /* bytes of an Ethernet address */

struct net_end {
    struct channel_end channel;
    uint8_t *own;         /* the half that this side fills */
    const uint8_t *other; /* and that of the other side */
    bool server;
    bool met;             /* the other side has said NET_HELLO: */
    uint32_t other_takes; /* NET_TAKES_* */
    uint32_t takes;       /* what this side has said, or is about to say, NET_ASKS included */
    bool link;            /* what a client was told, and what a server tells */
    uint32_t unsaid;      /* a bit for each enum net_what that is still to be sent */

    /* Own frames: an entry under way has what lies from its start to that of the next one. */
    uint32_t start[CHANNEL_ENTRIES]; /* by the entry's position */
    uint32_t next;                   /* where the last one ends, and the next one begins */
    uint32_t end;                    /* to there the half is free, as far as was looked */
    uint32_t opened;                 /* the channel's tail then */
    bool inherited; /* of a predecessor something is under way: where that lies, nobody knows */
};

/* Takes up this end of the channel at `pages`: see channel_open. */
void net_open(struct net_end *n, void *pages, unsigned number, bool server);

/* What this side takes, and whether a client of it reaches somebody: said with the next net_flush
 * if it is new. */
void net_set_takes(struct net_end *n, uint32_t takes);
void net_set_link(struct net_end *n, bool link);

/* What a side must take to be sent a frame: NET_TAKES_*. */
uint32_t net_needs(const struct net_entry *e);

/* Whether an entry is a frame that a side that takes this may be sent; its place is not looked at.
 */
bool net_is_frame(const struct net_entry *e, uint32_t takes);

/* Room for a frame of at most NET_FRAME_MAX bytes, which the caller fills in before net_put. NULL:
 * there is none; after net_wait EVENT_CHANNEL comes when there may be. */
uint8_t *net_place(struct net_end *n, uint32_t size);
uint8_t *net_wait(struct net_end *n, uint32_t size);

/* Sends the frame of e->size bytes that lies where net_place said last; e->what and e->offset are
 * filled in here. */
void net_put(struct net_end *n, struct net_entry *e);

/* The next frame from the other side, and its entry; NULL: there is none. The other side can still
 * change the bytes: they are read once, and then net_take is called, even if nobody wants them. */
const uint8_t *net_next(struct net_end *n, struct net_entry *e);
void net_take(struct net_end *n);

/* Behind any number of these: says what is new, and notifies the other side if it waits. */
void net_flush(struct net_end *n);

/* The address that a channel's label says; false: it says none. */
bool net_address(const char *label, uint8_t address[NET_ADDRESS]);
