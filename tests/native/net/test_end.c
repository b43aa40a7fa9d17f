/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of a network's channel in one process: frames arrive in order and as they were sent, no
 * room is given twice, and whatever the other side writes, nothing outside of the pages is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gate.h"
#include "runtime/net.h"
#include "runtime/shared.h"

#define NUMBER 5
#define ALL    (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)

static uint8_t *pages;
static struct net_end client, server;
static unsigned notified;

/* How many accesses to the rings are made before the server takes all; 0: it does not. */
static unsigned until_taken;

static void meanwhile(void)
{
    struct net_entry e;

    if (until_taken == 0 || --until_taken > 0)
        return;
    while (net_next(&server, &e) != NULL)
        net_take(&server);
    net_flush(&server);
}

/* Each access to the rings is a function of the test's. */
uint32_t shared_load(const uint32_t *at)
{
    meanwhile();
    return *(const volatile uint32_t *)at;
}

void shared_store(uint32_t *at, uint32_t value)
{
    meanwhile();
    *(volatile uint32_t *)at = value;
}

void shared_fence(void)
{
}

void shared_copy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

void gate_notify(unsigned channel)
{
    assert_int_equal(channel, NUMBER);
    notified++;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)rand() % limit;
}

/* Each takes what the other has to say. */
static void meet(void)
{
    struct net_entry e;

    for (unsigned i = 0; i < 5; i++) {
        assert_null(net_next(&server, &e));
        assert_null(net_next(&client, &e));
        net_flush(&server);
        net_flush(&client);
    }
}

/* The pages are a block of their own: the sanitizer sees an access beside them. */
static int setup(void **state)
{
    pages = aligned_alloc(4096, NET_CHANNEL_SIZE);
    memset(pages, 0, NET_CHANNEL_SIZE);
    net_open(&client, pages, NUMBER, false);
    net_open(&server, pages, NUMBER, true);
    net_set_takes(&client, ALL);
    net_set_takes(&server, ALL);
    meet();
    notified = 0;
    srand(1);
    return 0;
}

static int teardown(void **state)
{
    free(pages);
    return 0;
}

static uint8_t byte_of(uint32_t number, uint32_t at)
{
    return (uint8_t)(number * 7 + at + at / 251);
}

/* A frame of any size counts as one of TCP. */
static struct net_entry entry_of(uint32_t size)
{
    return (struct net_entry){
        .size = size, .flags = NET_NEEDS_CHECKSUM, .gso = NET_GSO_TCP4, .segment_size = 1};
}

static bool put(struct net_end *n, uint32_t number, uint32_t size)
{
    uint8_t *place = net_place(n, size);
    struct net_entry e = entry_of(size);

    if (place == NULL)
        return false;
    assert_true(place >= n->own && place + size <= n->own + NET_HALF);
    assert_int_equal((place - n->own) % NET_ALIGNMENT, 0);
    for (uint32_t i = 0; i < size; i++)
        place[i] = byte_of(number, i);
    net_put(n, &e);
    return true;
}

/* The size of the next frame, which is this one; 0: there is none. */
static uint32_t get(struct net_end *n, uint32_t number)
{
    struct net_entry e;
    const uint8_t *frame = net_next(n, &e);

    if (frame == NULL)
        return 0;
    for (uint32_t i = 0; i < e.size; i++)
        if (frame[i] != byte_of(number, i))
            fail_msg("frame %u, byte %u", number, i);
    net_take(n);
    return e.size;
}

/* At any time so many under way as there is room for; each one as it was sent. */
static void in_order(struct net_end *from, struct net_end *to, uint32_t longest)
{
    static uint32_t sizes[1 << 16];
    uint32_t sent = 0, received = 0;
    unsigned full = 0, places = 0;

    while (sent < 3000) {
        for (unsigned n = below(80); n > 0; n--) {
            uint32_t size = NET_FRAME_MIN + below(longest - NET_FRAME_MIN + 1);

            if (!put(from, sent, size)) {
                full++;
                break;
            }
            sizes[sent++] = size;
            places += from->start[(from->channel.tail - 1) % CHANNEL_ENTRIES] == 0;
        }
        for (unsigned n = below(80); n > 0 && received < sent; n--, received++)
            assert_int_equal(get(to, received), sizes[received]);
    }
    for (; received < sent; received++)
        assert_int_equal(get(to, received), sizes[received]);
    assert_true(full > 10 && places > 10);
}

static void both_ways(void **state)
{
    in_order(&client, &server, 2000);
    in_order(&server, &client, 2000);
    in_order(&client, &server, NET_FRAME_MAX);
    in_order(&server, &client, 5000);
}

/* Three of the longest, which leave room for less than one. Whole frames are bounded by the ring.
 */
static void room(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        assert_true(put(&client, i, NET_FRAME_MAX));
    assert_false(put(&client, 3, NET_FRAME_MAX));
    assert_true(put(&client, 3, NET_HALF - 3 * 65600));
    assert_false(put(&client, 4, NET_FRAME_MIN));
    assert_int_equal(get(&server, 0), NET_FRAME_MAX);
    assert_true(put(&client, 4, NET_FRAME_MAX));
    assert_false(put(&client, 5, NET_FRAME_MIN));
    for (unsigned i = 1; i < 5; i++)
        assert_int_not_equal(get(&server, i), 0);
    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        assert_true(put(&client, i, 1500));
    assert_false(put(&client, 64, NET_FRAME_MIN));
}

/* Who waits for room is told of it, be it in the ring or in the half; who does not wait is not. */
static void waiting(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        assert_true(put(&client, i, NET_FRAME_MAX));
    assert_null(net_place(&client, NET_FRAME_MAX));
    get(&server, 0);
    net_flush(&server);
    assert_int_equal(notified, 0);
    assert_non_null(net_wait(&client, NET_FRAME_MAX));
    assert_true(put(&client, 3, NET_FRAME_MAX));
    assert_null(net_wait(&client, NET_FRAME_MAX));
    get(&server, 1);
    net_flush(&server);
    assert_int_equal(notified, 1);
    assert_true(put(&client, 4, NET_FRAME_MAX));
    get(&server, 2);
    net_flush(&server);
    assert_int_equal(notified, 1);
}

/* The other side takes all at any point of a wait: there is room, or there is an event to come. */
static void taken_while_waiting(void **state)
{
    for (unsigned when = 1; when < 20; when++) {
        for (unsigned i = 0; i < 3; i++)
            assert_true(put(&client, i, NET_FRAME_MAX));
        notified = 0;
        until_taken = when;
        uint8_t *place = net_wait(&client, NET_FRAME_MAX);

        if (place == NULL && notified == 0 && until_taken == 0)
            fail_msg("taken at access %u: nobody is told", when);
        while (until_taken > 0)
            meanwhile();
        assert_true(place != NULL || notified == 1);
        assert_true(put(&client, 0, 100));
        assert_int_equal(get(&server, 0), 100);
        net_flush(&server);
    }
}

/* What is new is said once, and each side knows it then. */
static void words(void **state)
{
    assert_true(client.met && server.met);
    assert_int_equal(client.other_takes & ALL, ALL);
    assert_int_equal(server.other_takes & ALL, ALL);
    net_set_takes(&client, NET_TAKES_TCP4); /* which is nothing without its checksums */
    net_set_link(&server, true);
    meet();
    assert_int_equal(server.other_takes, 0);
    assert_true(client.link);
    assert_int_equal(client.unsaid | server.unsaid, 0);
    assert_int_equal(channel_used(&client.channel) + channel_used(&server.channel), 0);
    net_set_link(&server, false);
    meet();
    assert_false(client.link);
}

/* Words that find no room are said later. */
static void words_later(void **state)
{
    struct net_entry e;

    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        assert_true(put(&server, i, 100));
    net_set_link(&server, true);
    net_flush(&server);
    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        assert_int_equal(get(&client, i), 100);
    net_flush(&client);
    assert_true(notified > 0); /* as it waits */
    assert_false(client.link);
    net_flush(&server);
    assert_null(net_next(&client, &e));
    assert_true(client.link);
}

/* Who starts anew is told what the other side takes, be it a server or a client. What was under way
 * is not overwritten before it is taken. */
static void started_again(void **state)
{
    put(&server, 0, 5000);
    put(&server, 1, 60000);
    assert_int_equal(get(&client, 0), 5000);
    memset(&server, 0xaa, sizeof(server));
    net_open(&server, pages, NUMBER, true);
    net_set_takes(&server, ALL);
    assert_null(net_place(&server, 100));
    net_flush(&server);
    assert_int_equal(get(&client, 1), 60000);
    assert_true(put(&server, 2, 100));
    net_flush(&server);
    assert_int_equal(get(&client, 2), 100);
    meet();
    assert_true(server.met);
    assert_int_equal(server.other_takes, ALL);
    assert_int_equal(client.other_takes & ALL, ALL);
    memset(&client, 0xaa, sizeof(client));
    net_open(&client, pages, NUMBER, false);
    meet();
    assert_true(client.met);
    assert_int_equal(client.other_takes, ALL);
    assert_int_equal(server.other_takes, 0);
    assert_int_equal(channel_used(&client.channel) + channel_used(&server.channel), 0);
}

struct rule {
    struct net_entry e;
    uint32_t takes;
    bool good;
};

/* Each border of what is a frame. */
static void rules(void **state)
{
    static const struct rule rules[] = {
        {{.size = 13}, ALL, false},
        {{.size = 14}, 0, true},
        {{.size = NET_FRAME_MTU}, 0, true},
        {{.size = NET_FRAME_MTU + 1}, ALL, false},
        {{.size = 60, .flags = NET_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 16},
         NET_TAKES_CHECKSUM,
         true},
        {{.size = 60, .flags = NET_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 16},
         NET_TAKES_TCP4,
         false},
        {{.size = 60, .flags = NET_NEEDS_CHECKSUM, .checksum_start = 42, .checksum_offset = 16},
         ALL,
         true},
        {{.size = 60, .flags = NET_NEEDS_CHECKSUM, .checksum_start = 43, .checksum_offset = 16},
         ALL,
         false},
        {{.size = 60,
          .flags = NET_NEEDS_CHECKSUM,
          .checksum_start = 0xffff,
          .checksum_offset = 0xffff},
         ALL,
         false},
        {{.size = NET_FRAME_MAX,
          .flags = NET_NEEDS_CHECKSUM,
          .gso = NET_GSO_TCP4,
          .segment_size = 1448},
         ALL,
         true},
        {{.size = NET_FRAME_MAX + 1,
          .flags = NET_NEEDS_CHECKSUM,
          .gso = NET_GSO_TCP4,
          .segment_size = 1448},
         ALL,
         false},
        {{.size = 3000, .flags = NET_NEEDS_CHECKSUM, .gso = NET_GSO_TCP6, .segment_size = 1448},
         NET_TAKES_CHECKSUM | NET_TAKES_TCP4,
         false},
        {{.size = 3000, .flags = NET_NEEDS_CHECKSUM, .gso = NET_GSO_TCP6, .segment_size = 1448},
         NET_TAKES_CHECKSUM | NET_TAKES_TCP6,
         true},
        {{.size = 3000, .gso = NET_GSO_TCP4, .segment_size = 1448}, ALL, false},
        {{.size = 3000, .flags = NET_NEEDS_CHECKSUM, .gso = NET_GSO_TCP4}, ALL, false},
        {{.size = 3000, .flags = NET_NEEDS_CHECKSUM, .gso = 3, .segment_size = 9}, ALL, false},
        {{.size = 3000, .flags = NET_NEEDS_CHECKSUM, .gso = 0xffff, .segment_size = 9}, ALL, false},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (net_is_frame(&rules[i].e, rules[i].takes) != rules[i].good)
            fail_msg("rule %zu", i);
}

/* A hostile side's entry, which is not what net_put makes. */
static void put_raw(const struct net_entry *e)
{
    assert_true(channel_put(&client.channel, e));
}

/* What lies outside of the half, even by a byte, is none; and one behind it is not harmed. */
static void outside(void **state)
{
    static const uint32_t places[][2] = {
        {NET_HALF, 100}, {NET_HALF - 99, 100}, {0xffffffff, 100},     {0xffffff9c, 100},
        {0, 0},          {0, 0xffffffff},      {NET_HALF / 2, 70000}, {NET_HALF - 60000, 60001}};
    struct net_entry e, wrong;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        wrong = entry_of(places[i][1]);
        wrong.what = NET_FRAME;
        wrong.offset = places[i][0];
        put_raw(&wrong);
        assert_true(put(&client, 9, 200));
        assert_int_equal(get(&server, 9), 200);
        assert_null(net_next(&server, &e));
    }
    wrong = entry_of(100);
    wrong.what = NET_FRAME;
    wrong.offset = NET_HALF - 100;
    put_raw(&wrong);
    assert_ptr_equal(net_next(&server, &e), server.other + NET_HALF - 100);
    net_take(&server);
    put_raw(&(struct net_entry){.what = 77});
    put_raw(&(struct net_entry){.what = NET_LINK, .flags = 1}); /* a server is told none */
    assert_null(net_next(&server, &e));
    assert_false(server.link);
}

/* Anything, at any time, in the rings and the entries: each call ends, and the sanitizer sees what
 * it touches. */
static void hostile(void **state)
{
    struct channel *rings = (struct channel *)pages;

    for (unsigned round = 0; round < 300000; round++) {
        uint32_t *words = (uint32_t *)pages, size = below(NET_FRAME_MAX + 1);
        struct net_entry e;
        const uint8_t *frame;

        words[below(sizeof(*rings) / 4)] = (uint32_t)rand() << below(17);
        rings->ring[1].head = server.channel.tail - below(70);
        rings->ring[0].tail = server.channel.head + below(3);
        rings->ring[0].entry[server.channel.head % CHANNEL_ENTRIES][0] = (uint8_t)below(4);
        frame = net_next(&server, &e);
        if (frame != NULL) {
            assert_true(net_is_frame(&e, ALL));
            assert_true(frame[0] + frame[e.size - 1] >= 0); /* they are there */
            net_take(&server);
        }
        uint8_t *place = below(2) ? net_place(&server, size) : net_wait(&server, size);

        if (place != NULL) {
            place[0] = place[size > 0 ? size - 1 : 0] = 1;
            e = entry_of(size);
            net_put(&server, &e);
        }
        net_set_link(&server, below(2));
        net_flush(&server);
        channel_sleep(&server.channel);
    }
}

static void addresses(void **state)
{
    static const char *const wrong[] = {"",
                                        "02:00:00:00:00",
                                        "02:00:00:00:00:0",
                                        "02:00:00:00:00:0g",
                                        "02:00:00:00:00:01:",
                                        "02-00:00:00:00:01",
                                        "0200:00:00:00:01",
                                        "lintel-root"};
    uint8_t address[NET_ADDRESS];

    assert_true(net_address("02:9f:aa:00:10:fe", address));
    assert_memory_equal(address, "\x02\x9f\xaa\x00\x10\xfe", NET_ADDRESS);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(net_address(wrong[i], address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(room, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(taken_while_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(words, setup, teardown),
        cmocka_unit_test_setup_teardown(words_later, setup, teardown),
        cmocka_unit_test_setup_teardown(started_again, setup, teardown),
        cmocka_unit_test_setup_teardown(rules, setup, teardown),
        cmocka_unit_test_setup_teardown(outside, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
        cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests_name("an end of a network's channel", tests, NULL, NULL);
}
