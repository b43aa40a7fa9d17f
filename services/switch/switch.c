/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports have turns, of one frame each: who sends without end delays another's frame by one of its
 * own. A frame is copied once, from its sender's half to its receiver's; where there is no room
 * with the receiver it is dropped and counted, and nobody waits. Of that room nobody has all: who
 * sends without end leaves some to the others.
 *
 * The address that a port's label says is that port's alone. Others are learned from what is sent,
 * a few for each port, so that no port can have those of others forgotten.
 */
#include "services/switch/switch.h"

#include "lib/bucket.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/net.h"
#include "runtime/shared.h"
#include "services/switch/segment.h"

#define ADDRESSES 16u /* of a port; the first one is the label's, or none */
#define TURNS     64u /* frames before others are told of what has come */
#define UNITS     64u /* the room with a receiver, in entries or so much of its half: */
#define UNIT      (NET_HALF / UNITS)
#define SHARE     4  /* a sender may have so many times as much of it as is free then */
#define GROUP     1u /* in an address: of several, or of all (IEEE 802) */
#define TAKES     (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)
/* Lines about frames that were dropped: one, then one more in this time. */
#define COMPLAINT_EVERY_MS 60000u

struct port {
    struct net_end end;
    const struct process_channel *channel;
    uint64_t addresses[ADDRESSES]; /* 0: none */
    unsigned oldest;
    struct {
        const struct port *from;
        unsigned units;
    } sent[CHANNEL_ENTRIES]; /* what is under way to it, by the entry's position */
    uint64_t dropped;
    struct bucket complaints;
};

static const struct process_info *process;
static struct port ports[PROCESS_CHANNELS];
static unsigned count, next;

/* Addresses, as numbers. */

static uint64_t address_of(const uint8_t bytes[NET_ADDRESS])
{
    uint64_t address = 0;

    memcpy(&address, bytes, NET_ADDRESS);
    return address;
}

/* Where a port has an address; ADDRESSES: nowhere. */
static unsigned place_of(const struct port *p, uint64_t address)
{
    unsigned i = 0;

    while (i < ADDRESSES && p->addresses[i] != address)
        i++;
    return i;
}

static struct port *port_of(uint64_t address, unsigned *place)
{
    for (unsigned i = 0; i < count; i++)
        if ((*place = place_of(&ports[i], address)) < ADDRESSES)
            return &ports[i];
    return NULL;
}

/* A machine may move from a port to another, but not one that a label names. */
static void learn(struct port *p, uint64_t address)
{
    unsigned place;

    if (address == 0 || address & GROUP || place_of(p, address) < ADDRESSES)
        return;
    struct port *has = port_of(address, &place);

    if (has != NULL && place == 0)
        return;
    if (has != NULL)
        has->addresses[place] = 0;
    p->oldest = p->oldest % (ADDRESSES - 1) + 1;
    p->addresses[p->oldest] = address;
}

/* Frames. */

static void drop(struct port *p)
{
    p->dropped++;
    if (bucket_take(&p->complaints, gate_tsc(), process->tsc_khz * COMPLAINT_EVERY_MS, 1))
        log_line("%s has no room for what it is sent: %lu frames were dropped", p->channel->peer,
                 p->dropped);
}

/* Where a frame is to be put; NULL: its sender has its share of the room, or there is none. */
static uint8_t *place_from(struct port *p, const struct port *from, uint32_t size)
{
    uint32_t tail = p->end.channel.tail, used = channel_used(&p->end.channel);
    unsigned units = 1 + size / UNIT, own = units, all = units;

    for (uint32_t i = 1; i <= used; i++) {
        unsigned one = p->sent[(tail - i) % CHANNEL_ENTRIES].units;

        all += one;
        own += p->sent[(tail - i) % CHANNEL_ENTRIES].from == from ? one : 0;
    }
    if (all > UNITS || own > SHARE * (UNITS - all))
        return NULL;
    p->sent[tail % CHANNEL_ENTRIES].from = from;
    p->sent[tail % CHANNEL_ENTRIES].units = units;
    return net_place(&p->end, size);
}

/* As it is, or with its checksum worked out. */
static void copy(struct port *p, const struct port *from, const struct net_entry *e,
                 const uint8_t *frame)
{
    uint8_t *place = place_from(p, from, e->size);
    struct net_entry out = *e;

    if (place == NULL) {
        drop(p);
        return;
    }
    shared_copy(place, frame, e->size);
    if (net_needs(e) & ~p->end.other_takes) {
        segment_finish(e, place);
        out = (struct net_entry){.size = e->size};
    }
    net_put(&p->end, &out);
}

/* The first segment for which there is no room is the last: what is behind it would be of no use.
 */
static void cut(struct port *p, const struct port *from, const struct net_entry *e,
                const uint8_t *frame)
{
    struct segments s;
    uint8_t *place;

    if (!segments_read(&s, e, frame))
        return;
    for (uint32_t at = 0; at < s.payload; at += s.most) {
        struct net_entry out = {.size = segment_size(&s, at)};

        if ((place = place_from(p, from, out.size)) == NULL) {
            drop(p);
            return;
        }
        segment_write(&s, frame, at, place);
        net_put(&p->end, &out);
    }
}

/* Who has not said anything yet is sent nothing, and neither is who has ended. */
static bool is_there(const struct port *p)
{
    return p->end.met && !shared_load(&p->channel->ended);
}

static void send(struct port *p, const struct port *from, const struct net_entry *e,
                 const uint8_t *frame)
{
    if (!is_there(p))
        return;
    if (e->gso != NET_GSO_NONE && net_needs(e) & ~p->end.other_takes)
        cut(p, from, e, frame);
    else
        copy(p, from, e, frame);
}

static void forward(struct port *from, const struct net_entry *e, const uint8_t *frame)
{
    uint8_t head[2 * NET_ADDRESS]; /* to whom, and from whom */
    unsigned place;

    shared_copy(head, frame, sizeof(head));
    learn(from, address_of(head + NET_ADDRESS));
    struct port *to = head[0] & GROUP ? NULL : port_of(address_of(head), &place);

    for (unsigned i = 0; to == NULL && i < count; i++)
        if (&ports[i] != from)
            send(&ports[i], from, e, frame);
    if (to != NULL && to != from)
        send(to, from, e, frame);
}

/* Turns. */

static bool turn(struct port *p)
{
    struct net_entry e;
    const uint8_t *frame = net_next(&p->end, &e);

    if (frame == NULL)
        return false;
    forward(p, &e, frame);
    net_take(&p->end);
    return true;
}

/* Until nobody has a frame. False: there may be more. */
static bool take_turns(void)
{
    unsigned idle = 0;

    for (unsigned n = 0; n < TURNS && idle < count; n++) {
        idle = turn(&ports[next]) ? 0 : idle + 1;
        next = (next + 1) % count;
    }
    return idle >= count;
}

/* A port reaches somebody: a machine, or what a card is connected to. */
static void set_links(void)
{
    unsigned up[PROCESS_CHANNELS], sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += up[i] = is_there(&ports[i]) && (ports[i].end.server || ports[i].end.link);
    for (unsigned i = 0; i < count; i++)
        if (ports[i].end.server)
            net_set_link(&ports[i].end, sum > up[i]);
}

static bool all_asleep(void)
{
    for (unsigned i = 0; i < count; i++)
        if (!channel_sleep(&ports[i].end.channel))
            return false;
    return true;
}

static void wait(void)
{
    int64_t events = gate_wait();

    if (events < 0)
        log_stop(GATE_STOP_FAULT, "the hypervisor lets no process wait (%ld)", (long)events);
}

void switch_turn(void)
{
    bool idle = take_turns();

    set_links();
    for (unsigned i = 0; i < count; i++)
        net_flush(&ports[i].end);
    if (idle && all_asleep())
        wait();
    else
        gate_send();
    for (unsigned i = 0; i < count; i++)
        channel_awake(&ports[i].end.channel);
}

void switch_start(const struct process_info *info, void *pages)
{
    process = info;
    count = next = 0;
    for (unsigned n = 0; n < info->channel_count; n++) {
        const struct process_channel *channel = &info->channels[n];
        uint8_t own[NET_ADDRESS];

        if (channel->kind != PLAN_CHANNEL_NET)
            continue;
        struct port *p = &ports[count++];

        *p = (struct port){.channel = channel};
        if (net_address(channel->label, own))
            p->addresses[0] = address_of(own);
        net_open(&p->end, (uint8_t *)pages + n * PROCESS_CHANNEL_STRIDE, n, channel->server);
        net_set_takes(&p->end, TAKES);
    }
}
