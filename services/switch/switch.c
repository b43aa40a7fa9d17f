/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports have turns, of one frame each: who sends without end delays another's frame by a few of its
 * own. A frame is copied once, from its sender's half to its receiver's; where there is no room
 * with the receiver it is dropped and counted, and nobody waits. Of that room nobody has all: who
 * sends without end leaves some to the others.
 *
 * The address that a port's label says is that port's alone. Others are learned from what is sent,
 * a few for each port, so that no port can have those of others forgotten.
 *
 * Frames cost who receives them time, asked for or not. Who is sent one may answer with many. All
 * others are strangers' frames, those for several or for all among them: together they take a small
 * part of the time, each port an equal share of that, and who has used his up waits.
 */
#include "services/switch/switch.h"

#include "lib/bucket.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/net.h"
#include "runtime/shared.h"
#include "services/switch/segment.h"

#define ADDRESSES 16u /* of a port; the first one is the label's, or none */
#define FOUND     64u /* addresses whose ports were found lately */
#define TURNS     16u /* frames before others are told of what has come, and all are looked at */
#define UNITS     64u /* the room with a receiver, in entries or so much of its half: */
#define UNIT      (NET_HALF / UNITS)
#define SHARE     4  /* a sender may have so many times as much of it as is free then */
#define GROUP     1u /* in an address: of several, or of all (IEEE 802) */
#define TAKES     (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)
/* Lines about frames that were dropped: one, then one more in this time. */
#define COMPLAINT_EVERY_MS 60000u

/* Strangers' frames together take such a part of the time that moving them does. */
#define STRANGERS 128u
#define ANSWERS   64u /* frames to who has sent one */
#define BURST     64u /* units at once: the price of a frame of at most UNIT bytes, and */
#define WAKE      8u  /* of having a receiver look */
#define PART      12u /* who waits does so for as many */
#define FIRST     2u  /* segments, of a longer frame that is cut: TCP sends what is lost again */
#define DEAREST   20u /* until one was moved, a unit takes a millisecond's 20th */

struct port {
    struct net_end end;
    const struct process_channel *channel;
    uint64_t addresses[ADDRESSES]; /* 0: none */
    unsigned oldest;
    /* What is under way to it, by the entry's position and, from there on where it was not looked
     * whether it is taken, by sender and together. */
    struct {
        unsigned from, units;
    } sent[CHANNEL_ENTRIES];
    uint32_t released;
    unsigned units_of[PROCESS_CHANNELS], units;
    unsigned answers[PROCESS_CHANNELS]; /* so many frames it may still send each other one */
    struct bucket strangers;            /* what it may send to the rest */
    uint64_t rests_until;
    uint64_t dropped;
    struct bucket complaints;
};

static const struct process_info *process;
static struct port ports[PROCESS_CHANNELS];
static unsigned count, next;
static uint64_t awake, resting; /* ports that may have frames, and that wait: a bit for each */
static uint64_t up;             /* those that reach others */
static uint64_t price;          /* ticks for a unit, at best */

/* Addresses, as numbers. */

static struct {
    uint64_t address;
    struct port *port;
} found[FOUND];

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

/* NULL: nobody has it. */
static struct port *port_of(uint64_t address)
{
    unsigned slot = (unsigned)(address >> 40 ^ address >> 32) % FOUND;

    for (unsigned i = 0; found[slot].address != address; i++) {
        if (i == count)
            return NULL;
        if (place_of(&ports[i], address) < ADDRESSES) {
            found[slot].address = address;
            found[slot].port = &ports[i];
        }
    }
    return found[slot].port;
}

/* A machine may move from a port to another, but not one that a label names. */
static void learn(struct port *p, uint64_t address)
{
    struct port *has = port_of(address);
    unsigned place;

    if (address == 0 || address & GROUP || has == p)
        return;
    if (has != NULL && (place = place_of(has, address)) == 0)
        return;
    if (has != NULL)
        has->addresses[place] = 0;
    p->oldest = p->oldest % (ADDRESSES - 1) + 1;
    p->addresses[p->oldest] = address;
    memset(found, 0, sizeof(found));
}

/* Frames. */

static void drop(struct port *p)
{
    p->dropped++;
    if (bucket_take(&p->complaints, gate_tsc(), process->tsc_khz * COMPLAINT_EVERY_MS, 1))
        log_line("%s has no room for what it is sent: %lu frames were dropped", p->channel->peer,
                 p->dropped);
}

/* Forgets what is no longer under way to it. */
static void release(struct port *p)
{
    uint32_t used = channel_used(&p->end.channel);

    for (; p->end.channel.tail - p->released > used; p->released++) {
        unsigned i = p->released % CHANNEL_ENTRIES;

        p->units -= p->sent[i].units;
        p->units_of[p->sent[i].from] -= p->sent[i].units;
        p->sent[i].units = 0;
    }
}

/* Where a frame is to be put; NULL: its sender has its share of the room, or there is none. */
static uint8_t *place_from(struct port *p, const struct port *from, uint32_t size)
{
    unsigned i = p->end.channel.tail % CHANNEL_ENTRIES, sender = (unsigned)(from - ports);
    unsigned units = 1 + size / UNIT;
    uint8_t *place;

    release(p);
    if (p->units + units > UNITS ||
        p->units_of[sender] + units > SHARE * (UNITS - p->units - units) ||
        (place = net_place(&p->end, size)) == NULL)
        return NULL;
    p->sent[i].from = sender;
    p->sent[i].units = units;
    p->units += units;
    p->units_of[sender] += units;
    return place;
}

/* As it is, or with its checksum worked out. What is sent here and below is told in units. */
static unsigned copy(struct port *p, const struct port *from, struct net_entry *e,
                     const uint8_t *frame)
{
    uint8_t *place = place_from(p, from, e->size);

    if (place == NULL) {
        drop(p);
        return 0;
    }
    shared_copy(place, frame, e->size);
    if (net_needs(e) & ~p->end.other_takes) {
        struct net_entry plain = {.size = e->size};

        segment_finish(e, place);
        net_put(&p->end, &plain);
    } else {
        net_put(&p->end, e);
    }
    return 1 + e->size / UNIT;
}

/* The first segment for which there is no room is the last: what is behind it would be of no use.
 */
static unsigned cut(struct port *p, const struct port *from, const struct net_entry *e,
                    const uint8_t *frame, unsigned most)
{
    struct segments s;
    unsigned units = 0;

    if (!segments_read(&s, e, frame))
        return 0;
    for (uint32_t at = 0; at < s.payload && units < most; at += s.most, units++) {
        struct net_entry out = {.size = segment_size(&s, at)};
        uint8_t *place = place_from(p, from, out.size);

        if (place == NULL) {
            drop(p);
            break;
        }
        segment_write(&s, frame, at, place);
        net_put(&p->end, &out);
    }
    return units;
}

/* Who has not said anything yet is sent nothing, and neither is who has ended. */
static bool is_there(const struct port *p)
{
    return p->end.met && !shared_load(&p->channel->ended);
}

/* Of what must be cut, so many segments at most. */
static unsigned send(struct port *p, const struct port *from, struct net_entry *e,
                     const uint8_t *frame, unsigned most)
{
    if (p == from || !is_there(p))
        return 0;
    if (e->gso != NET_GSO_NONE && net_needs(e) & ~p->end.other_takes)
        return cut(p, from, e, frame, most);
    return copy(p, from, e, frame);
}

/* To who has not asked; all: no receiver is named. False: it has to wait. What a frame takes is
 * found out with these. */
static bool send_stranger(struct port *from, struct port *to, struct net_entry *e,
                          const uint8_t *frame)
{
    struct port *first = to != NULL ? to : ports, *last = to != NULL ? to : &ports[count - 1];
    uint64_t start = gate_tsc(), interval = price * STRANGERS * count;
    unsigned units = 0, most = 1;

    if (!bucket_take(&from->strangers, start, interval, BURST)) {
        from->rests_until = from->strangers.full_at - (BURST - PART) * interval;
        return false;
    }
    for (struct port *p = first; p <= last; p++) {
        unsigned wake = p->end.channel.put ? 0 : WAKE, one = send(p, from, e, frame, FIRST);

        p->answers[from - ports] = ANSWERS;
        units += one;
        most = one + wake > most ? one + wake : most;
    }
    from->strangers.full_at += (most - 1) * interval;
    if (units > 0)
        price = min_u64(price, (gate_tsc() - start) / units);
    return true;
}

/* False: not yet. */
static bool forward(struct port *from, struct net_entry *e, const uint8_t *frame)
{
    uint8_t head[2 * NET_ADDRESS]; /* to whom, and from whom */
    unsigned *answers;

    shared_copy(head, frame, sizeof(head));
    learn(from, address_of(head + NET_ADDRESS));
    struct port *to = head[0] & GROUP ? NULL : port_of(address_of(head));

    if (to == NULL)
        return send_stranger(from, NULL, e, frame);
    to->answers[from - ports] = ANSWERS;
    answers = &from->answers[to - ports];
    if (*answers == 0)
        return send_stranger(from, to, e, frame);
    --*answers;
    send(to, from, e, frame, UNITS);
    return true;
}

/* Turns. */

/* False: it has none, or has to wait. */
static bool turn(unsigned number)
{
    struct port *p = &ports[number];
    struct net_entry e;
    const uint8_t *frame = net_next(&p->end, &e);

    if (frame == NULL) {
        if (channel_sleep(&p->end.channel))
            awake &= ~BIT(number);
        return false;
    }
    channel_awake(&p->end.channel);
    if (!forward(p, &e, frame)) {
        awake &= ~BIT(number);
        resting |= BIT(number);
        return false;
    }
    net_take(&p->end);
    return true;
}

static void take_turns(void)
{
    for (unsigned n = 0; n < TURNS && awake != 0; n++) {
        uint64_t behind = awake & ~(BIT(next + 1) - 1);

        next = (unsigned)__builtin_ctzll(behind != 0 ? behind : awake);
        turn(next);
    }
}

/* A port reaches somebody: a machine, or what a card is connected to. */
static void set_links(void)
{
    uint64_t now = 0;

    for (unsigned i = 0; i < count; i++)
        if (is_there(&ports[i]) && (ports[i].end.server || ports[i].end.link))
            now |= BIT(i);
    for (unsigned i = 0; now != up && i < count; i++)
        if (ports[i].end.server)
            net_set_link(&ports[i].end, (now & ~BIT(i)) != 0);
    up = now;
}

/* Those whose time has come; when that of the next one does, else. */
static uint64_t rested(void)
{
    uint64_t first = UINT64_MAX;

    for (uint64_t left = resting; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        if (ports[i].rests_until <= gate_tsc()) {
            resting &= ~BIT(i);
            awake |= BIT(i);
        }
        first = min_u64(first, ports[i].rests_until);
    }
    return first;
}

static void wait(void)
{
    int64_t events = gate_wait();

    if (events < 0)
        log_stop(GATE_STOP_FAULT, "the hypervisor lets no process wait (%ld)", (long)events);
    for (unsigned i = 0; i < count; i++)
        if ((uint64_t)events & EVENT_CHANNEL(ports[i].end.channel.number))
            awake |= BIT(i) & ~resting;
}

void switch_turn(void)
{
    uint64_t until;

    take_turns();
    set_links();
    for (unsigned i = 0; i < count; i++)
        net_flush(&ports[i].end);
    until = rested();
    if (awake != 0) {
        gate_send();
        awake = (BIT(count) - 1) & ~resting;
        return;
    }
    if (until != UINT64_MAX)
        gate_timer(until);
    wait();
}

void switch_start(const struct process_info *info, void *pages)
{
    process = info;
    count = next = 0;
    resting = up = 0;
    price = info->tsc_khz / DEAREST;
    memset(found, 0, sizeof(found));
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
        p->released = p->end.channel.tail;
    }
    awake = BIT(count) - 1;
}
