/* SPDX-License-Identifier: BSD-2-Clause */
/* A switch and the machines at its ports: who gets what, what is done to frames, and what a port
 * can do to the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/process.h"
#include "lib/bits.h"
#include "runtime/gate.h"
#include "runtime/net.h"
#include "services/switch/switch.h"

#define PORTS 4u
#define ALL   (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)

static struct process_info info;
static uint8_t *pages;
static struct net_end machine[PORTS];
static unsigned notified[PORTS];
static uint64_t posted; /* channels that gate_notify was called for, and nobody was told of yet */
static uint64_t events; /* what the switch is to be told */
static bool switch_runs;
static uint64_t tsc, timer; /* 0: none is set */
static uint64_t passes;     /* with each look at the clock */
static char said[4096];
static char text[PROCESS_TEXT_SIZE];
static bool waited;

void gate_notify(unsigned channel)
{
    if (switch_runs)
        posted |= BIT(channel);
    else
        events |= EVENT_CHANNEL(channel);
}

void gate_send(void)
{
    for (; posted != 0; posted &= posted - 1)
        notified[__builtin_ctzll(posted)]++;
}

int64_t gate_wait(void)
{
    uint64_t now = events;

    gate_send();
    if (now == 0 && timer > tsc)
        tsc = timer;
    waited = now == 0 && timer == 0;
    events = 0;
    timer = 0;
    return (int64_t)now;
}

int64_t gate_timer(uint64_t when)
{
    timer = when;
    return 0;
}

char *gate_text(void)
{
    return text;
}

int64_t gate_log(size_t length)
{
    snprintf(said, sizeof(said), "%.*s", (int)length, text);
    return 0;
}

uint64_t gate_tsc(void)
{
    return tsc += passes;
}

_Noreturn void gate_stop(enum gate_stop why)
{
    fail_msg("the switch has stopped");
    abort();
}

static void one_turn(void)
{
    switch_runs = true;
    switch_turn();
    switch_runs = false;
}

/* The switch works until it waits and nobody has told it anything. */
static void settle(void)
{
    waited = false;
    for (unsigned i = 0; !waited; i++) {
        assert_true(i < 10000);
        one_turn();
    }
}

static uint8_t *pages_of(unsigned port)
{
    return pages + port * PROCESS_CHANNEL_STRIDE;
}

/* The next frame for a machine; NULL: there is none. */
static const uint8_t *next(unsigned port, struct net_entry *e)
{
    const uint8_t *frame = net_next(&machine[port], e);

    net_flush(&machine[port]);
    return frame;
}

static void start(void)
{
    switch_runs = true;
    switch_start(&info, pages);
    switch_runs = false;
}

static void meet(void)
{
    struct net_entry e;

    for (unsigned i = 0; i < 4; i++) {
        settle();
        for (unsigned port = 0; port < PORTS; port++)
            assert_null(next(port, &e));
    }
}

static const uint8_t all[NET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static const uint8_t *address(uint8_t last)
{
    static uint8_t ring[4][NET_ADDRESS];
    static unsigned count;
    uint8_t *bytes = ring[count++ % 4];

    memcpy(bytes, "\x02\x00\x00\x00\x00", 5);
    bytes[5] = last;
    return bytes;
}

/* False: there is no room in the machine's half. */
static bool send_entry(unsigned port, const uint8_t *to, const uint8_t *from, struct net_entry e,
                       const uint8_t *rest)
{
    uint8_t *place = net_place(&machine[port], e.size);

    if (place == NULL)
        return false;
    memcpy(place, to, NET_ADDRESS);
    memcpy(place + NET_ADDRESS, from, NET_ADDRESS);
    if (rest != NULL)
        memcpy(place + 12, rest, e.size - 12);
    else
        memset(place + 12, (int)e.size, e.size - 12);
    net_put(&machine[port], &e);
    net_flush(&machine[port]);
    return true;
}

/* What a frame takes: no time, as the clock stands still. */
static void find_price(void)
{
    struct net_entry e;

    send_entry(3, address(0), address(0x90), (struct net_entry){.size = 60}, NULL);
    settle();
    assert_non_null(next(0, &e));
    net_take(&machine[0]);
    tsc += 1000 * info.tsc_khz;
}

/* Ports 0 to 2 are VMs' with the addresses 02:00:00:00:00:00 and on; the last one is that of a
 * card, of which the switch is the client. */
static int setup(void **state)
{
    info = (struct process_info){.tsc_khz = 1000, .channel_count = PORTS};
    pages = aligned_alloc(4096, PORTS * PROCESS_CHANNEL_STRIDE);
    memset(pages, 0, PORTS * PROCESS_CHANNEL_STRIDE);
    posted = 0;
    said[0] = '\0';
    for (unsigned i = 0; i < PORTS; i++) {
        struct process_channel *c = &info.channels[i];
        bool card = i == PORTS - 1;

        *c = (struct process_channel){.kind = PLAN_CHANNEL_NET, .server = !card};
        snprintf(c->peer, sizeof(c->peer), "vm%u", i);
        if (!card)
            snprintf(c->label, sizeof(c->label), "02:00:00:00:00:%02x", i);
        net_open(&machine[i], pages_of(i), i, card);
        net_set_takes(&machine[i], ALL);
    }
    start();
    for (unsigned i = 0; i < PORTS; i++)
        net_flush(&machine[i]);
    meet();
    find_price();
    memset(notified, 0, sizeof(notified));
    return 0;
}

static int teardown(void **state)
{
    free(pages);
    return 0;
}

static void send(unsigned port, const uint8_t *to, const uint8_t *from, uint32_t size)
{
    assert_true(send_entry(port, to, from, (struct net_entry){.size = size}, NULL));
}

/* Who has a frame of this size, as bits; each has one at most, which is taken. */
static unsigned who_got(uint32_t size)
{
    unsigned who = 0;

    settle();
    for (unsigned port = 0; port < PORTS; port++) {
        struct net_entry e;
        const uint8_t *frame = next(port, &e);

        if (frame == NULL)
            continue;
        assert_int_equal(e.size, size);
        assert_int_equal(frame[12], (uint8_t)size);
        assert_int_equal(frame[size - 1], (uint8_t)size);
        net_take(&machine[port]);
        assert_null(next(port, &e));
        who |= 1u << port;
    }
    return who;
}

static void to_whom(void **state)
{
    send(0, address(1), address(0), 60);
    assert_int_equal(who_got(60), 2);
    send(1, all, address(1), 61);
    assert_int_equal(who_got(61), 13);
    send(2, (const uint8_t *)"\x01\x00\x5e\x00\x00\x01", address(2), 62);
    assert_int_equal(who_got(62), 11);
    send(0, address(0x99), address(0), 63); /* nobody knows where that is */
    assert_int_equal(who_got(63), 14);
    send(3, address(0), address(0x99), 64);
    assert_int_equal(who_got(64), 1);
    send(0, address(0x99), address(0), 65); /* it is behind the card */
    assert_int_equal(who_got(65), 8);
    send(0, address(0), address(0), 66); /* to itself */
    assert_int_equal(who_got(66), 0);
    for (uint32_t size = NET_FRAME_MIN; size <= NET_FRAME_MTU; size++) {
        send(2, address(0), address(2), size);
        assert_int_equal(who_got(size), 1);
    }
    send(0, address(1), address(0), NET_FRAME_MTU + 1);
    assert_int_equal(who_got(0), 0);
}

/* A machine that moves is found again. One that a label names does not move. */
static void moves(void **state)
{
    send(0, all, address(0x50), 60);
    assert_int_equal(who_got(60), 14);
    send(1, address(0x50), address(1), 60);
    assert_int_equal(who_got(60), 1);
    send(2, all, address(0x50), 60);
    who_got(60);
    send(1, address(0x50), address(1), 60);
    assert_int_equal(who_got(60), 4);
    send(2, all, address(1), 60); /* VM 2 says that it is VM 1 */
    who_got(60);
    send(0, address(1), address(0), 60);
    assert_int_equal(who_got(60), 2);
    send(2, all, all, 60); /* and that it is everybody */
    who_got(60);
    send(0, all, address(0), 60);
    assert_int_equal(who_got(60), 14);
}

/* However many machines a port says that it has, those of others are not forgotten. */
static void many_addresses(void **state)
{
    uint8_t from[NET_ADDRESS] = {2, 1};

    for (uint8_t i = 0; i < 15; i++) {
        send(3, address(0), address((uint8_t)(0x60 + i)), 60);
        assert_int_equal(who_got(60), 1);
    }
    for (unsigned i = 0; i < 5000; i++) {
        from[4] = (uint8_t)(i >> 8);
        from[5] = (uint8_t)i;
        send(2, address(1), from, 60);
        assert_int_equal(who_got(60), 2);
    }
    for (uint8_t i = 0; i < 15; i++) {
        send(0, address((uint8_t)(0x60 + i)), address(0), 60);
        assert_int_equal(who_got(60), 8);
    }
    send(0, from, address(0), 60); /* the last ones are known */
    assert_int_equal(who_got(60), 4);
}

/* A machine that takes nothing loses what is for it, and nobody else anything. */
static void takes_nothing(void **state)
{
    unsigned got = 0, sent = 0;
    struct net_entry e;

    for (; sent < 500; sent++) {
        send(0, address(1), address(0), 1000);
        settle();
        send(2, all, address(2), 900);
        settle();
        assert_non_null(next(0, &e));
        net_take(&machine[0]);
        assert_non_null(next(3, &e));
        net_take(&machine[3]);
    }
    assert_non_null(strstr(said, "vm1 has no room for what it is sent: 1 frames were dropped"));
    while (next(1, &e) != NULL) {
        net_take(&machine[1]);
        got++;
    }
    assert_in_range(got, CHANNEL_ENTRIES * 3 / 4, CHANNEL_ENTRIES);
    tsc += 60000000;
    send(0, address(1), address(0), 1000);
    assert_int_equal(who_got(1000), 2);
    for (unsigned i = 0; i < 100; i++) {
        send(0, address(1), address(0), 1000);
        settle();
    }
    assert_non_null(strstr(said, "frames were dropped"));
    assert_null(strstr(said, " 1 frames"));
}

/* Behind so many frames of one port as there are turns the other's is next. */
static void turns(void **state)
{
    struct net_entry e;
    unsigned before = 0;

    for (unsigned i = 0; i < 40; i++)
        send(0, address(2), address(0), 1000);
    send(1, address(2), address(1), 60);
    for (settle(); next(2, &e) != NULL && e.size != 60; before++)
        net_take(&machine[2]);
    assert_int_equal(e.size, 60);
    assert_in_range(before, 0, 1);
}

/* So many frames of 60 bytes from a port to 1 as it can send in a second; the others go on. */
static unsigned frames_in_a_second(unsigned from, const uint8_t *whom)
{
    uint64_t end = tsc + 1000 * info.tsc_khz;
    uint8_t to[NET_ADDRESS];
    unsigned got = 0;

    memcpy(to, whom, sizeof(to));
    while (tsc < end) {
        struct net_entry e;

        while (send_entry(from, to, address((uint8_t)from), (struct net_entry){.size = 60}, NULL))
            ;
        one_turn();
        for (unsigned port = 0; port < PORTS; port++)
            for (; next(port, &e) != NULL; got += port == 1)
                net_take(&machine[port]);
        tsc += 10;
    }
    return got;
}

/* What nobody has asked for is bounded by what it takes of the time; what somebody answers is not,
 * and who waits for his turn delays nobody else. */
static void strangers(void **state)
{
    const unsigned most = 100000 / 100 * 1000 / 128 / PORTS; /* a frame takes 100 ticks */
    unsigned asked = 0;
    struct net_entry e;

    info.tsc_khz = 100000;
    passes = 100;
    start();
    meet();
    find_price();
    assert_in_range(frames_in_a_second(0, all), 100, most);
    assert_in_range(frames_in_a_second(2, address(1)), 100, 2 * most); /* with those of 0 */
    assert_true(send_entry(0, all, address(0), (struct net_entry){.size = 60}, NULL));
    assert_true(timer > tsc || timer == 0); /* it waits without a turn of its own */
    for (unsigned i = 0; i < 1000; i++) {
        send(3, address(1), address(0x90), 61);
        for (unsigned n = 0; n < 4; n++)
            one_turn();
        for (; next(1, &e) != NULL; net_take(&machine[1]))
            asked += e.size == 61;
        if (i % 50 == 0)
            send(1, address(0x90), address(1), 62);
        while (next(3, &e) != NULL)
            net_take(&machine[3]);
    }
    assert_int_equal(asked, 1000);
    passes = 0;
}

/* TCP over IPv4 with so much payload; the rest of the frame. */
static struct net_entry tcp_frame(uint8_t *rest, uint32_t payload)
{
    struct net_entry e = {.flags = NET_NEEDS_CHECKSUM,
                          .size = 54 + payload,
                          .gso = payload > 1460 ? NET_GSO_TCP4 : NET_GSO_NONE,
                          .header_size = 54,
                          .segment_size = 1460,
                          .checksum_start = 34,
                          .checksum_offset = 16};
    static const uint8_t ip[] = {8, 0, 0x45, 0,  0, 0, 0, 7,  0x40, 0, 64,
                                 6, 0, 0,    10, 0, 0, 1, 10, 0,    0, 2};

    memset(rest, 0, e.size - 12);
    memcpy(rest, ip, sizeof(ip));
    rest[34] = 0x50;
    for (uint32_t i = 0; i < payload; i++)
        rest[42 + i] = (uint8_t)(i / 3);
    return e;
}

/* Who sends without end, frames of any kind, leaves room to others with whomever it sends to. */
static void shares(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry large = tcp_frame(rest, 60000), e;

    for (unsigned i = 0; i < 500; i++) {
        if (i % 2 == 0)
            send(0, all, address(0), 60);
        else
            assert_true(send_entry(3, all, address(0x44), large, rest));
        settle();
        while (next(0, &e) != NULL)
            net_take(&machine[0]);
        while (next(3, &e) != NULL)
            net_take(&machine[3]);
    }
    send(2, address(1), address(2), 99);
    send(2, address(1), address(2), 98);
    settle();
    for (bool found = false; !found; net_take(&machine[1])) {
        assert_non_null(next(1, &e));
        found = e.size == 99;
    }
    assert_non_null(next(1, &e));
    assert_int_equal(e.size, 98);
}

static uint32_t sum_of(const uint8_t *at, uint32_t size)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < size; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* To who takes them, they go as they are. */
static void whole(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;
    const uint8_t *frame;

    assert_true(send_entry(0, address(1), address(0), sent, rest));
    settle();
    frame = next(1, &e);
    assert_non_null(frame);
    assert_memory_equal(frame + 12, rest, sent.size - 12);
    e.offset = 0;
    sent.what = NET_FRAME;
    assert_memory_equal(&e, &sent, sizeof(e));
}

/* Who takes nothing gets frames of the MTU, with their checksums. */
static void cut(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;
    const uint8_t *frame;
    uint32_t at = 0;

    net_set_takes(&machine[1], 0);
    meet();
    assert_true(send_entry(0, address(1), address(0), sent, rest));
    settle();
    while ((frame = next(1, &e)) != NULL) {
        assert_int_equal(e.flags | e.gso, 0);
        assert_int_equal(e.size, at + 1460 <= 60000 ? 1514 : 54 + 60000 - at);
        assert_memory_equal(frame + 54, rest + 42 + at, e.size - 54);
        at += e.size - 54;
        net_take(&machine[1]);
    }
    assert_int_equal(at, 60000);
    sent = tcp_frame(rest, 100);
    rest[38] = 0x12; /* in the checksum's place, the pseudo header's sum */
    rest[39] = 0x34;
    assert_true(send_entry(0, address(1), address(0), sent, rest));
    settle();
    frame = next(1, &e);
    assert_non_null(frame);
    assert_int_equal(e.flags, 0);
    assert_int_equal((sum_of(frame + 34, e.size - 34) + 0x1234) % 0xffff, 0);
    net_take(&machine[1]);
}

/* There is no room for all of a segment: the part that there is room for, and nothing of others'.
 */
static void cut_without_room(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;
    unsigned got = 0;

    sent.segment_size = 1;
    net_set_takes(&machine[1], 0);
    meet();
    assert_true(send_entry(0, address(1), address(0), sent, rest));
    settle();
    for (; next(1, &e) != NULL; got++)
        net_take(&machine[1]);
    assert_int_equal(got, CHANNEL_ENTRIES * 4 / 5);
    sent.checksum_offset = 6; /* no TCP: it is nobody's */
    assert_true(send_entry(0, address(1), address(0), sent, rest));
    settle();
    assert_null(next(1, &e));
}

/* A switch that was started again knows what its ports take, and where they are; a machine
 * likewise.
 */
static void started_again(void **state)
{
    send(3, all, address(0x70), 60);
    assert_int_equal(who_got(60), 7);
    start();
    meet();
    send(0, address(1), address(0), 60);
    assert_int_equal(who_got(60), 2);
    send(0, address(0x70), address(0), 60);
    assert_int_equal(who_got(60), 14);
    whole(state);
    net_take(&machine[1]);
    net_open(&machine[1], pages_of(1), 1, false);
    net_flush(&machine[1]);
    meet();
    cut(state); /* it has said that it takes nothing */
}

/* With others there a port has a link, and who is not there is sent nothing. */
static void links(void **state)
{
    assert_true(machine[0].link && machine[1].link && machine[2].link);
    info.channels[1].ended = info.channels[2].ended = 1;
    events |= EVENT_CHANNEL(1) | EVENT_CHANNEL(2);
    meet();
    assert_false(machine[0].link); /* the card has said nothing of its own */
    send(0, all, address(0), 60);
    assert_int_equal(who_got(60), 8);
    net_set_link(&machine[3], true);
    net_flush(&machine[3]);
    meet();
    assert_true(machine[0].link);
    net_set_link(&machine[3], false);
    net_flush(&machine[3]);
    meet();
    assert_false(machine[0].link);
}

/* Notifications: none for who does not wait, one for many frames. */
static void told(void **state)
{
    struct net_entry e;

    assert_true(channel_sleep(&machine[1].channel));
    for (unsigned i = 0; i < 10; i++)
        send(0, address(1), address(0), 500);
    settle();
    assert_int_equal(notified[1], 1);
    assert_int_equal(notified[2] + notified[3], 0);
    for (unsigned i = 0; i < 10; i++, net_take(&machine[1]))
        assert_non_null(next(1, &e));
}

/* A port writes anything anywhere in its pages. The others' frames arrive, once each and as they
 * were sent. */
static void hostile(void **state)
{
    struct channel *rings = (struct channel *)pages_of(1);
    uint32_t number = 0;

    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t *words = (uint32_t *)pages_of(1);
        uint32_t size = 60 + (uint32_t)rand() % 1000;
        struct net_entry e;
        const uint8_t *frame;
        bool found = false;

        for (unsigned i = (unsigned)rand() % 4; i > 0; i--)
            words[(unsigned)rand() % (sizeof(*rings) / 4)] = (uint32_t)rand() << rand() % 17;
        rings->ring[0].tail += (unsigned)rand() % 3;
        rings->ring[0].entry[(unsigned)rand() % CHANNEL_ENTRIES][0] = NET_FRAME;
        assert_true(send_entry(0, address(2), address(0), (struct net_entry){.size = size}, NULL));
        for (unsigned i = 0; i < 3; i++)
            one_turn();
        while ((frame = next(2, &e)) != NULL) {
            found |= e.size == size && memcmp(frame, address(2), 6) == 0 &&
                     memcmp(frame + 6, address(0), 6) == 0;
            net_take(&machine[2]);
        }
        assert_true(found);
        while (next(0, &e) != NULL)
            net_take(&machine[0]);
        while (next(3, &e) != NULL)
            net_take(&machine[3]);
        number++;
    }
    assert_int_equal(number, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(to_whom, setup, teardown),
        cmocka_unit_test_setup_teardown(moves, setup, teardown),
        cmocka_unit_test_setup_teardown(many_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(turns, setup, teardown),
        cmocka_unit_test_setup_teardown(strangers, setup, teardown),
        cmocka_unit_test_setup_teardown(shares, setup, teardown),
        cmocka_unit_test_setup_teardown(whole, setup, teardown),
        cmocka_unit_test_setup_teardown(cut, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_without_room, setup, teardown),
        cmocka_unit_test_setup_teardown(started_again, setup, teardown),
        cmocka_unit_test_setup_teardown(links, setup, teardown),
        cmocka_unit_test_setup_teardown(told, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
    };

    return cmocka_run_group_tests_name("a switch", tests, NULL, NULL);
}
