/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel: pages that two processes share, with a ring of 64-byte entries each way. Ring 0 gives
 * the pages and one event bit in each process, and never looks in. Neither side trusts the other:
 * what the other one writes is copied once, then checked, then used; a position that makes no sense
 * is taken for an empty ring.
 *
 * Each ring has one producer and one consumer. head and tail count entries for ever; the entry of
 * position p is p modulo CHANNEL_ENTRIES. The producer fills the entry, then moves tail; if the
 * consumer says that it sleeps, a notification follows. The consumer copies the entry, then moves
 * head. Before it waits it sets sleeps, and looks at tail once more. On x86 the store of sleeps and
 * the load of tail need a fence between them, on both sides.
 */
#pragma once

#include <stdint.h>

#define CHANNEL_ENTRIES    64u
#define CHANNEL_ENTRY_SIZE 64u
#define CHANNEL_LINE       64 /* what one side writes has a cache line of its own */

struct channel_ring {
    struct {
        _Alignas(CHANNEL_LINE) uint32_t head; /* the next to take */
        uint32_t sleeps;                      /* 1: the consumer waits for a notification */
    };
    struct {
        _Alignas(CHANNEL_LINE) uint32_t tail; /* the next to fill */
        uint32_t blocked; /* 1: the producer waits for room, and wants a notification for it */
    };
    _Alignas(CHANNEL_LINE) uint8_t entry[CHANNEL_ENTRIES][CHANNEL_ENTRY_SIZE];
};

struct channel {
    struct channel_ring ring[2]; /* [0]: to the server; [1]: to the client */
};

/* What a kind of channel has besides begins here. */
#define CHANNEL_AREA 0x4000u

_Static_assert(sizeof(struct channel) <= CHANNEL_AREA, "the rings end before the area");
