/* SPDX-License-Identifier: BSD-2-Clause */
/* One end of a channel, or both: the source, with its accesses to the shared pages in the proof's
 * hands. */
#pragma once

/* That of tests/native/runtime/model is found first: each access is a function of the proof's. */
#include "runtime/shared.h"

#include "runtime/channel.c"
#include "tests/proofs/proof.h"

static struct channel pages;

/* The slot of an entry, whichever ring's: its number; CHANNEL_ENTRIES and more: it is none. */
static inline uint64_t slot_of(const void *at, const struct channel_ring *ring)
{
    uint64_t offset = (uint64_t)((const uint8_t *)at - (const uint8_t *)&pages) -
                      (uint64_t)((const uint8_t *)ring->entry - (const uint8_t *)&pages);

    return offset % CHANNEL_ENTRY_SIZE == 0 ? offset / CHANNEL_ENTRY_SIZE : UINT64_MAX;
}

/* An end that has done anything before. */
static inline struct channel_end end_make(bool server)
{
    return (struct channel_end){.in = &pages.ring[!server],
                                .out = &pages.ring[server],
                                .head = nondet_u32(),
                                .tail = nondet_u32(),
                                .got = nondet_bool(),
                                .put = nondet_bool(),
                                .sleeps = nondet_bool(),
                                .blocked = nondet_bool()};
}
