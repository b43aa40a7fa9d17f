/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports have turns, of one frame each: who sends without end delays another's frame by a few of its
 * own. A frame is copied once, from its sender's half to its receiver's; where there is no room
 * with the receiver it is dropped and counted, and nobody waits (runtime/net_out.h).
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
#include "runtime/net_out.h"
#include "runtime/shared.h"

#define ADDRESSES 16u /* of a port; the first one is the label's, or none */
#define FOUND     64u /* addresses whose ports were found lately */
#define TURNS     16u /* frames before others are told of what has come, and all are looked at */
#define GROUP     1u  /* in an address: of several, or of all (IEEE 802) */
#define TAKES     (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)
/* Lines about frames that were dropped: one, then one more in this time. */
#define COMPLAINT_EVERY_MS 60000u

/* Strangers' frames together take such a part of the time that moving them does. */
#define STRANGERS 128u
#define ANSWERS   64u /* frames to who has sent one */
#define BURST     64u /* units at once: the price of a frame of at most NET_UNIT bytes, and */
#define WAKE      8u  /* of having a receiver look */
#define PART      12u /* who waits does so for as many */
#define FIRST     2u  /* segments, of a longer frame that is cut: TCP sends what is lost again */
#define DEAREST   20u /* until one was moved, a unit takes a millisecond's 20th */

struct port {
    struct net_out out;
    const struct process_channel *channel;
    uint64_t addresses[ADDRESSES]; /* 0: none */
    unsigned oldest;
    unsigned answers[PROCESS_CHANNELS]; /* so many frames it may still send each other one */
    struct bucket strangers;            /* what it may send to the rest */
    uint64_t rests_until;
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

    __builtin_memcpy(&address, bytes, NET_ADDRESS);
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

static void complain(struct port *p)
{
    if (bucket_take(&p->complaints, gate_tsc(), process->tsc_khz * COMPLAINT_EVERY_MS, 1))
        log_line("%s has no room for what it is sent: %lu frames were dropped", p->channel->peer,
                 p->out.dropped);
}

/* Who has not said anything yet is sent nothing, and neither is who has ended. */
static bool is_there(const struct port *p)
{
    return p->out.end.met && !shared_load(&p->channel->ended);
}

/* Of what must be cut, so many segments at most. What is sent is told in units. */
static unsigned send(struct port *p, const struct port *from, struct net_entry *e,
                     const uint8_t *frame, unsigned most)
{
    uint64_t dropped = p->out.dropped;
    unsigned units;

    if (p == from || !is_there(p))
        return 0;
    units = net_out_put(&p->out, (unsigned)(from - ports), e, frame, most);
    if (p->out.dropped != dropped)
        complain(p);
    return units;
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
        unsigned wake = p->out.end.channel.put ? 0 : WAKE, one = send(p, from, e, frame, FIRST);

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

    shared_copy(head, frame, sizeof(head));
    learn(from, address_of(head + NET_ADDRESS));
    struct port *to = head[0] & GROUP ? NULL : port_of(address_of(head));

    if (to == NULL)
        return send_stranger(from, NULL, e, frame);
    to->answers[from - ports] = ANSWERS;
    if (from->answers[to - ports] == 0)
        return send_stranger(from, to, e, frame);
    from->answers[to - ports]--;
    send(to, from, e, frame, NET_UNITS);
    return true;
}

/* Turns. */

static void turn(unsigned number)
{
    struct port *p = &ports[number];
    struct net_entry e;
    const uint8_t *frame = net_next(&p->out.end, &e);

    if (frame == NULL) {
        if (channel_sleep(&p->out.end.channel))
            awake &= ~BIT(number);
        return;
    }
    channel_awake(&p->out.end.channel);
    if (forward(p, &e, frame)) {
        net_take(&p->out.end);
        return;
    }
    awake &= ~BIT(number);
    resting |= BIT(number);
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
        if (is_there(&ports[i]) && (ports[i].out.end.server || ports[i].out.end.link))
            now |= BIT(i);
    for (unsigned i = 0; now != up && i < count; i++)
        if (ports[i].out.end.server)
            net_set_link(&ports[i].out.end, (now & ~BIT(i)) != 0);
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
        if ((uint64_t)events & EVENT_CHANNEL(ports[i].out.end.channel.number))
            awake |= BIT(i) & ~resting;
}

void switch_turn(void)
{
    uint64_t until;

    take_turns();
    set_links();
    for (unsigned i = 0; i < count; i++)
        net_flush(&ports[i].out.end);
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
        net_out_open(&p->out, (uint8_t *)pages + n * PROCESS_CHANNEL_STRIDE, n, channel->server);
        net_set_takes(&p->out.end, TAKES);
    }
    awake = BIT(count) - 1;
}
