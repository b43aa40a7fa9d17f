/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_switch [SECONDS]: a switch with four ports. Two of them talk; the others write anything into
 * their pages, at any time: entries that are frames but for something, positions, segments with
 * headers that are none, and noise. Whatever they do, what the two send each other arrives in
 * order, as it was sent, at the end at the latest; and whatever they are sent is a frame. Behind
 * each port's pages there is nothing: the sanitizers see the rest. Without an argument it does as
 * much each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/bits.h"
#include "services/switch/switch.h"
#include "tests/native/net/ports.h"

#define LIVES 60u  /* of a switch */
#define STEPS 600u /* in a life */
#define OWN   0xb5 /* the type of the frames of 0 and 2 */

static unsigned long seconds, frames, others;
static uint32_t sent[PORTS], came[PORTS]; /* of 0 and 2; the others do not keep to their ends */
static uint64_t chance = 0x9e3779b97f4a7c15;

static uint32_t below(uint32_t limit)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (uint32_t)(chance >> 32) % limit;
}

static void turns(unsigned count)
{
    for (; count > 0; count--) {
        passes = below(300);
        one_turn();
    }
}

/* The two that talk. */

static uint8_t byte_of(unsigned from, uint32_t number, uint32_t i)
{
    return (uint8_t)(from + number * 13 + i * 7 + i / 256);
}

static void address(uint8_t *to, unsigned port)
{
    memcpy(to, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)port}, NET_ADDRESS);
}

/* The number of the frame is behind its type. */
static void talk(unsigned from, uint32_t size)
{
    struct net_entry e = {.size = size};
    uint8_t *frame = net_place(&machine[from], size);

    if (frame == NULL)
        return;
    address(frame, 2 - from);
    address(frame + NET_ADDRESS, from);
    frame[12] = frame[13] = OWN;
    memcpy(frame + 14, &sent[from], 4);
    for (uint32_t i = 18; i < size; i++)
        frame[i] = byte_of(from, sent[from], i);
    sent[from]++;
    net_put(&machine[from], &e);
    net_flush(&machine[from]);
}

static void hear(unsigned port, const struct net_entry *e, const uint8_t *frame)
{
    uint8_t own[NET_ADDRESS];
    uint32_t number;

    address(own, 2 - port);
    if (e->size < 60 || frame[12] != OWN || frame[13] != OWN ||
        memcmp(frame + NET_ADDRESS, own, NET_ADDRESS) != 0) {
        others++;
        return;
    }
    memcpy(&number, frame + 14, 4);
    assert_true(number >= came[port] && number < sent[2 - port]);
    for (uint32_t i = 18; i < e->size; i++)
        if (frame[i] != byte_of(2 - port, number, i))
            fail_msg("frame %u, byte %u", number, i);
    came[port] = number + 1;
    frames++;
}

/* All that has come is a frame, or says something. */
static void listen(unsigned port)
{
    struct net_end *n = &machine[port];
    struct net_entry e;

    while (channel_peek(&n->channel, &e)) {
        assert_in_range(e.what, NET_HELLO, NET_LINK);
        if (e.what == NET_FRAME) {
            assert_true(net_is_frame(&e, n->takes));
            assert_true(e.offset <= NET_HALF && e.size <= NET_HALF - e.offset);
        }
        const uint8_t *frame = net_next(n, &e);

        if (frame == NULL)
            break;
        hear(port, &e, frame);
        net_take(n);
    }
    net_flush(n);
}

/* The others. */

static void write_headers(uint8_t *frame)
{
    static const uint8_t tcp[] = {8, 0, 0x45, 0,  0, 0, 0, 7,  0x40, 0, 64,
                                  6, 0, 0,    10, 0, 0, 1, 10, 0,    0, 2};

    if (below(4))
        address(frame, below(PORTS + 2));
    else
        memset(frame, 0xff, NET_ADDRESS);
    address(frame + NET_ADDRESS, below(8) ? 1 + below(3) * 2 : below(256));
    if (below(8) == 0)
        frame[NET_ADDRESS + 3] = (uint8_t)below(256);
    memcpy(frame + 12, tcp, sizeof(tcp));
    frame[46] = 0x50;
    for (unsigned i = below(3) ? 0 : below(4); i > 0; i--)
        frame[12 + below(60)] = (uint8_t)below(256);
}

static void write_entry(struct net_entry *e, uint8_t *half)
{
    static const uint32_t sizes[] = {0, 13, 14, 60, 1500, 1518, 1519, 9000, 65000, 65550, 65551};
    bool whole = below(2);

    *e = (struct net_entry){.what = below(12) ? NET_FRAME : below(5),
                            .flags = whole      ? 0
                                     : below(8) ? 1
                                                : (uint32_t)chance,
                            .offset = below(8) ? below(NET_HALF) & ~63u : (uint32_t)chance,
                            .size = below(3) ? sizes[below(ARRAY_SIZE(sizes))] : below(70000),
                            .gso = whole ? 0 : (uint16_t)below(below(8) ? 3 : 9),
                            .header_size = (uint16_t)below(200),
                            .segment_size = (uint16_t)below(below(4) ? 1500 : 0x10000),
                            .checksum_start = (uint16_t)(below(4) ? 34 : below(0x10000)),
                            .checksum_offset = (uint16_t)(below(4) ? 16 : below(0x10000))};
    if (e->offset <= NET_HALF - 128)
        write_headers(half + e->offset);
}

static void act(unsigned port)
{
    struct channel *c = (struct channel *)pages_of(port);
    bool client = port == PORTS - 1; /* the switch is that one's client */
    struct channel_ring *to = &c->ring[client], *from = &c->ring[!client];
    struct net_area *area = (struct net_area *)(pages_of(port) + CHANNEL_AREA);

    switch (below(12)) {
    case 0:
        pages_of(port)[below(0x2200)] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        to->tail = to->head + below(below(4) ? 8 : CHANNEL_ENTRIES + 3);
        break;
    case 2:
        from->sleeps = below(2);
        to->blocked = below(2);
        break;
    case 3:
        from->head = below(8) ? from->tail : from->tail - below(CHANNEL_ENTRIES + 5);
        break;
    case 4:
        area->half[client][below(NET_HALF)] = (uint8_t)below(256);
        break;
    default:
        write_entry((void *)to->entry[to->tail % CHANNEL_ENTRIES], area->half[client]);
        to->tail++;
    }
    if (below(2))
        events |= EVENT_CHANNEL(port);
}

static void begin(void)
{
    ports_open(100000);
    for (unsigned i = 0; i < PORTS; i++) {
        net_set_takes(&machine[i], below(4) ? ALL : 0);
        sent[i] = came[i] = 0;
    }
    start_switch();
    for (unsigned i = 0; i < PORTS; i++)
        net_flush(&machine[i]);
    turns(3);
}

static void end(void)
{
    uint32_t before[2] = {came[0], came[2]};

    memset(pages_of(1), 0, CHANNEL_AREA);
    memset(pages_of(3), 0, CHANNEL_AREA);
    for (unsigned i = 0; i < 200; i++) {
        talk(0, 100);
        talk(2, 100);
        turns(4);
        listen(0);
        listen(2);
        events |= EVENT_CHANNEL(0) | EVENT_CHANNEL(2);
    }
    assert_true(came[0] - before[0] > 50 && came[2] - before[1] > 50);
    ports_close();
}

static void live(void)
{
    begin();
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned i = below(6); i > 0; i--)
            act(below(2) ? 1 : 3);
        if (below(2))
            talk(below(2) * 2, 60 + below(1400));
        turns(1 + below(3));
        if (below(4))
            listen(below(2) * 2);
        if (!below(100)) {
            start_switch();
            events |= EVENT_CHANNEL(0) | EVENT_CHANNEL(2);
        }
    }
    end();
}

static void fuzz(void **state)
{
    time_t until = time(NULL) + (time_t)seconds;

    if (seconds)
        chance = (uint64_t)until << 20 | 1;
    for (unsigned i = 0; seconds == 0 ? i < LIVES : time(NULL) < until; i++)
        live();
    print_message("%lu frames of the two, %lu of others\n", frames, others);
    assert_true(frames > 1000 && others > 1000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fuzz)};

    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
