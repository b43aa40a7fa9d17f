/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/net.h"

#include "lib/bits.h"

void net_open(struct net_end *n, void *pages, unsigned number, bool server)
{
    struct net_area *area = (struct net_area *)((uint8_t *)pages + CHANNEL_AREA);

    *n = (struct net_end){.own = area->half[server],
                          .other = area->half[!server],
                          .server = server,
                          .takes = NET_ASKS,
                          .inherited = true,
                          .unsaid = BIT(NET_HELLO)};
    channel_open(&n->channel, pages, number, server);
    n->opened = n->channel.tail;
}

void net_set_takes(struct net_end *n, uint32_t takes)
{
    uint32_t asks = n->takes & NET_ASKS;

    if ((takes | asks) != n->takes)
        n->unsaid |= BIT(NET_HELLO);
    n->takes = takes | asks;
}

void net_set_link(struct net_end *n, bool link)
{
    if (link != n->link)
        n->unsaid |= BIT(NET_LINK);
    n->link = link;
}

/* Own frames. */

/* Everything has room of its own in the half, also what has no bytes: so the half is full when two
 * places are the same, and empty when nothing is under way. */
static uint32_t room_for(uint32_t size)
{
    return size == 0 ? NET_ALIGNMENT : (uint32_t)align_up(size, NET_ALIGNMENT);
}

/* From the first entry under way to `next` the half is in use: looks to where it is free, and goes
 * on at its start if there is room there alone. */
static bool look_for(struct net_end *n, uint32_t room, uint32_t used)
{
    uint32_t first = n->start[(n->channel.tail - used) % CHANNEL_ENTRIES];

    n->inherited = n->inherited && used > n->channel.tail - n->opened;
    if (n->inherited)
        return false;
    n->end = n->next > first ? NET_HALF : first;
    if (room > n->end - n->next && n->next > first && room <= first) {
        n->next = 0;
        n->end = first;
    }
    return room <= n->end - n->next;
}

/* The other side says how many entries are under way: wrongly, if it wants to have its own frames
 * overwritten. */
uint8_t *net_place(struct net_end *n, uint32_t size)
{
    uint32_t used = channel_used(&n->channel), room = room_for(size);

    if (used == 0) {
        n->next = 0;
        n->end = NET_HALF;
        n->inherited = false;
    } else if (used >= CHANNEL_ENTRIES || (room > n->end - n->next && !look_for(n, room, used))) {
        return NULL;
    }
    return n->own + n->next;
}

/* How many were under way is asked first: should all of them be taken before this side says that it
 * waits, nobody would tell it. Each look behind the first one is because the other side has just
 * taken something. */
uint8_t *net_wait(struct net_end *n, uint32_t size)
{
    uint8_t *place = net_place(n, size);

    for (unsigned i = 0; place == NULL && i <= CHANNEL_ENTRIES; i++) {
        uint32_t used = channel_used(&n->channel);

        place = net_place(n, size);
        if (place != NULL || !channel_has_room(&n->channel, used))
            break;
    }
    return place;
}

static bool put(struct net_end *n, const struct net_entry *e)
{
    uint32_t position = n->channel.tail;

    if (!channel_put(&n->channel, e))
        return false;
    n->start[position % CHANNEL_ENTRIES] = n->next;
    n->next += room_for(e->size);
    return true;
}

void net_put(struct net_end *n, struct net_entry *e)
{
    e->what = NET_FRAME;
    e->offset = n->next;
    put(n, e);
}

static bool say(struct net_end *n, enum net_what what, uint32_t flags)
{
    const struct net_entry e = {.what = what, .flags = flags};

    if (!(n->unsaid & BIT(what)) || net_wait(n, 0) == NULL || !put(n, &e))
        return false;
    n->unsaid &= (uint32_t)~BIT(what);
    return true;
}

void net_flush(struct net_end *n)
{
    if (n->unsaid != 0 && say(n, NET_HELLO, n->takes))
        n->takes &= ~NET_ASKS;
    if (n->unsaid != 0)
        say(n, NET_LINK, n->link);
    channel_flush(&n->channel);
}

/* What comes from the other side. */

static const uint32_t gso_needs[] = {
    [NET_GSO_NONE] = 0, [NET_GSO_TCP4] = NET_TAKES_TCP4, [NET_GSO_TCP6] = NET_TAKES_TCP6};

uint32_t net_needs(const struct net_entry *e)
{
    return (e->flags & NET_NEEDS_CHECKSUM ? NET_TAKES_CHECKSUM : 0) | gso_needs[e->gso];
}

bool net_is_frame(const struct net_entry *e, uint32_t takes)
{
    bool checksum = e->flags & NET_NEEDS_CHECKSUM, gso = e->gso != NET_GSO_NONE;

    if (e->gso >= ARRAY_SIZE(gso_needs) || (gso && (!checksum || e->segment_size == 0)))
        return false;
    if (e->size < NET_FRAME_MIN || e->size > (gso ? NET_FRAME_MAX : NET_FRAME_MTU))
        return false;
    if (checksum && e->checksum_start + e->checksum_offset + 2u > e->size)
        return false;
    return (net_needs(e) & ~takes) == 0;
}

/* What there is but frames: it is dealt with here. */
static void hear(struct net_end *n, const struct net_entry *e)
{
    if (e->what == NET_HELLO) {
        n->met = true;
        n->other_takes = e->flags & NET_TAKES_CHECKSUM ? e->flags : 0;
        n->unsaid |= (e->flags & NET_ASKS ? BIT(NET_HELLO) : 0) | (n->server ? BIT(NET_LINK) : 0);
    } else if (e->what == NET_LINK && !n->server) {
        n->link = e->flags & 1;
    }
}

const uint8_t *net_next(struct net_end *n, struct net_entry *e)
{
    for (unsigned i = 0; i < CHANNEL_ENTRIES && channel_peek(&n->channel, e); i++) {
        if (e->what == NET_FRAME && net_is_frame(e, n->takes) && e->offset <= NET_HALF &&
            e->size <= NET_HALF - e->offset)
            return n->other + e->offset;
        hear(n, e);
        channel_take(&n->channel);
    }
    return NULL;
}

void net_take(struct net_end *n)
{
    channel_take(&n->channel);
}

/* Addresses. */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool net_address(const char *label, uint8_t address[NET_ADDRESS])
{
    for (unsigned i = 0; i < NET_ADDRESS; i++, label += 3) {
        int high = digit(label[0]), low = high < 0 ? -1 : digit(label[1]);

        if (low < 0 || label[2] != (i + 1 < NET_ADDRESS ? ':' : '\0'))
            return false;
        address[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
