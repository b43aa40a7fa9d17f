/* SPDX-License-Identifier: BSD-2-Clause */
/* One end of a network's channel; the other side writes anything, at any time. */
#pragma once

#include "tests/proofs/channel.h"

#include "runtime/net.c"

static struct net_area area;
static struct net_end end;

/* What is always so of where own frames lie. `slot` is any of the places. */
static inline bool is_sound(uint32_t slot)
{
    return end.next <= end.end && end.end <= NET_HALF && end.next % NET_ALIGNMENT == 0 &&
           end.end % NET_ALIGNMENT == 0 && end.start[slot] <= NET_HALF &&
           end.start[slot] % NET_ALIGNMENT == 0;
}

/* An end that has done anything before. */
static inline void net_make(void)
{
    bool server = nondet_bool();

    end.channel = end_make(server);
    end.server = server;
    end.own = area.half[server];
    end.other = area.half[!server];
    end.met = nondet_bool();
    end.link = nondet_bool();
    end.inherited = nondet_bool();
    end.takes = nondet_u32();
    end.other_takes = nondet_u32();
    end.unsaid = nondet_u32();
    end.next = nondet_u32();
    end.end = nondet_u32();
    end.opened = nondet_u32();
    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        end.start[i] = nondet_u32();
}
