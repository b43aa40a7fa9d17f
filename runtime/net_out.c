/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/net_out.h"

#include "runtime/segment.h"
#include "runtime/shared.h"

#define SHARE 4 /* a sender may have so many times as much of the room as is free then */

void net_out_open(struct net_out *o, void *pages, unsigned number, bool server)
{
    *o = (struct net_out){0};
    net_open(&o->end, pages, number, server);
    o->released = o->end.channel.tail;
}

/* Forgets what is no longer under way. */
static void release(struct net_out *o)
{
    uint32_t used = channel_used(&o->end.channel);

    for (; o->end.channel.tail - o->released > used; o->released++) {
        unsigned i = o->released % CHANNEL_ENTRIES;

        o->units -= o->sent[i].units;
        o->units_of[o->sent[i].from] -= o->sent[i].units;
        o->sent[i].units = 0;
    }
}

/* Where a frame is to be put; NULL: its sender has its share of the room, or there is none. */
static uint8_t *place_from(struct net_out *o, unsigned from, uint32_t size)
{
    unsigned i = o->end.channel.tail % CHANNEL_ENTRIES, units = 1 + size / NET_UNIT;
    uint8_t *place;

    release(o);
    if (o->units + units > NET_UNITS ||
        o->units_of[from] + units > SHARE * (NET_UNITS - o->units - units) ||
        (place = net_place(&o->end, size)) == NULL) {
        o->dropped++;
        return NULL;
    }
    o->sent[i].from = from;
    o->sent[i].units = units;
    o->units += units;
    o->units_of[from] += units;
    return place;
}

/* As it is, or with its checksum worked out. */
static unsigned copy(struct net_out *o, unsigned from, struct net_entry *e, const uint8_t *frame)
{
    uint8_t *place = place_from(o, from, e->size);

    if (place == NULL)
        return 0;
    shared_copy(place, frame, e->size);
    if (net_needs(e) & ~o->end.other_takes) {
        struct net_entry plain = {.size = e->size};

        segment_finish(e, place);
        net_put(&o->end, &plain);
    } else {
        net_put(&o->end, e);
    }
    return 1 + e->size / NET_UNIT;
}

/* The first segment for which there is no room is the last: what is behind it would be of no use.
 */
static unsigned cut(struct net_out *o, unsigned from, const struct net_entry *e,
                    const uint8_t *frame, unsigned most)
{
    struct segments s;
    unsigned units = 0;

    if (!segments_read(&s, e, frame))
        return 0;
    for (uint32_t at = 0; at < s.payload && units < most; at += s.most, units++) {
        struct net_entry out = {.size = segment_size(&s, at)};
        uint8_t *place = place_from(o, from, out.size);

        if (place == NULL)
            break;
        segment_write(&s, frame, at, place);
        net_put(&o->end, &out);
    }
    return units;
}

unsigned net_out_put(struct net_out *o, unsigned from, struct net_entry *e, const uint8_t *frame,
                     unsigned most)
{
    if (e->gso != NET_GSO_NONE && net_needs(e) & ~o->end.other_takes)
        return cut(o, from, e, frame, most);
    return copy(o, from, e, frame);
}
