/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way out of a network to one of its ports: an end of a channel (runtime/net.h) into which
 * several others' frames go, each in the form that the other side takes. Of the room there nobody
 * has all: who sends without end leaves some to the others.
 */
#pragma once

#include "abi/process.h"
#include "runtime/net.h"

#define NET_UNITS 64u                    /* the room, in entries or so much of the end's half: */
#define NET_UNIT  (NET_HALF / NET_UNITS) /* bytes */

struct net_out {
    struct net_end end;
    uint64_t dropped; /* frames, and what was left of those that are cut, for want of room */
    /* What is under way to it, by the entry's position and, from there on where it was not looked
     * whether it is taken, by sender and together. */
    struct {
        unsigned from, units;
    } sent[CHANNEL_ENTRIES];
    uint32_t released;
    unsigned units_of[PROCESS_CHANNELS], units;
};

/* See net_open. */
void net_out_open(struct net_out *o, void *pages, unsigned number, bool server);

/* Puts a frame of sender `from` there: as it is, with its checksum worked out, or cut into as many
 * segments as there is room for, and `most` of them. Returns how many units it is. */
unsigned net_out_put(struct net_out *o, unsigned from, struct net_entry *e, const uint8_t *frame,
                     unsigned most);
