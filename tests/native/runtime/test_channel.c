/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of a channel in one process: what is put is got, in order, and no position that the
 * other side may write leads out of the pages. The protocol of waiting is channel_model's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/channel.h"
#include "runtime/gate.h"

#define NUMBER 7

static struct channel *pages;
static struct channel_end client, server;
static unsigned notified;

void gate_notify(unsigned channel)
{
    assert_int_equal(channel, NUMBER);
    notified++;
}

/* The pages are a block of their own: the sanitizer sees an access beside them. */
static int setup(void **state)
{
    pages = aligned_alloc(CHANNEL_LINE, sizeof(*pages));
    memset(pages, 0, sizeof(*pages));
    channel_open(&client, pages, NUMBER, false);
    channel_open(&server, pages, NUMBER, true);
    notified = 0;
    return 0;
}

static int teardown(void **state)
{
    free(pages);
    return 0;
}

static bool put(struct channel_end *c, uint32_t value)
{
    uint32_t entry[CHANNEL_ENTRY_SIZE / 4] = {value, [CHANNEL_ENTRY_SIZE / 4 - 1] = ~value};

    return channel_put(c, entry);
}

/* The next value, or -1. */
static int64_t get(struct channel_end *c)
{
    uint32_t entry[CHANNEL_ENTRY_SIZE / 4];

    if (!channel_get(c, entry))
        return -1;
    assert_int_equal(entry[CHANNEL_ENTRY_SIZE / 4 - 1], ~entry[0]);
    return entry[0];
}

static void both_ways(void **state)
{
    assert_int_equal(get(&server), -1);
    assert_true(put(&client, 1));
    assert_true(put(&client, 2));
    assert_true(put(&server, 3));
    assert_int_equal(get(&server), 1);
    assert_int_equal(get(&client), 3);
    assert_int_equal(get(&client), -1);
    assert_int_equal(get(&server), 2);
    assert_int_equal(get(&server), -1);
}

/* Any number of entries at a time, from any position on, the end of 32 bits included. */
static void wraps(void **state)
{
    uint32_t sent = 0, received = 0;

    client.tail = server.head = UINT32_MAX - 1000;
    pages->ring[0].head = pages->ring[0].tail = UINT32_MAX - 1000;
    for (uint32_t round = 0; round < 3000; round++) {
        for (uint32_t i = 0; i <= round % CHANNEL_ENTRIES; i++)
            assert_true(put(&client, sent++));
        for (uint32_t i = 0; i <= round % CHANNEL_ENTRIES; i++)
            assert_int_equal(get(&server), received++);
        assert_int_equal(get(&server), -1);
    }
    assert_int_equal(client.tail, sent - 1001);
}

static void full(void **state)
{
    for (uint32_t i = 0; i < CHANNEL_ENTRIES; i++)
        assert_true(put(&client, i));
    assert_false(put(&client, 1000));
    for (uint32_t i = 0; i < 3 * CHANNEL_ENTRIES; i++) {
        assert_int_equal(get(&server), i);
        assert_true(put(&client, CHANNEL_ENTRIES + i));
        assert_false(put(&client, 1000));
    }
}

/* A process that is started again goes on behind what its predecessor took. */
static void opened_again(void **state)
{
    put(&client, 1);
    put(&client, 2);
    put(&server, 3);
    assert_int_equal(get(&server), 1);
    channel_sleep(&server);
    memset(&server, 0xaa, sizeof(server));
    channel_open(&server, pages, NUMBER, true);
    assert_int_equal(notified, 1);
    assert_int_equal(pages->ring[0].sleeps, 0);
    assert_int_equal(get(&server), 2);
    assert_int_equal(get(&server), -1);
    put(&server, 4);
    assert_int_equal(get(&client), 3);
    assert_int_equal(get(&client), 4);
}

/* Nobody is told without having asked, and who has asked once for each flush. */
static void notifications(void **state)
{
    put(&client, 1);
    put(&client, 2);
    channel_flush(&client);
    assert_int_equal(notified, 0);
    assert_false(channel_sleep(&server));
    get(&server);
    get(&server);
    channel_flush(&server);
    assert_true(channel_sleep(&server));
    channel_flush(&client);
    assert_int_equal(notified, 0);
    put(&client, 3);
    put(&client, 4);
    channel_flush(&client);
    channel_flush(&client);
    assert_int_equal(notified, 1);
    channel_awake(&server);
    put(&client, 5);
    channel_flush(&client);
    assert_int_equal(notified, 1);
    while (put(&client, 6))
        ;
    get(&server);
    channel_flush(&server);
    assert_int_equal(notified, 2);
    assert_true(put(&client, 7));
    get(&server);
    channel_flush(&server);
    assert_int_equal(notified, 2);
}

static const uint32_t odd[] = {0,          1,          2,          63,         64,
                               65,         66,         127,        128,        0x7fffffff,
                               0x80000000, 0xfffffffe, 0xffffffff, 0xffffffbf, 0xffffffc0};

/* Whatever the other side says of its positions, one round of work ends, and what it does is
 * inside. */
static void hostile_positions(void **state)
{
    for (size_t own = 0; own < sizeof(odd) / sizeof(odd[0]); own++)
        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
            unsigned got = 0, placed = 0;
            server.head = server.tail = odd[own];
            pages->ring[0].tail = pages->ring[1].head = odd[i];
            pages->ring[0].blocked = pages->ring[1].sleeps = odd[i];
            while (channel_get(&server, (uint8_t[CHANNEL_ENTRY_SIZE]){0}))
                got++;
            assert_int_equal(got, odd[i] - odd[own] <= CHANNEL_ENTRIES ? odd[i] - odd[own] : 0);
            while (placed < 3 * CHANNEL_ENTRIES && put(&server, placed))
                placed++;
            channel_flush(&server);
            assert_true(channel_sleep(&server) || got == 0);
            channel_awake(&server);
        }
}

/* They change all the time, and the flags and entries with them. */
static void hostile_at_any_time(void **state)
{
    srand(1);
    for (unsigned round = 0; round < 200000; round++) {
        uint32_t *words = (uint32_t *)pages;
        unsigned count = 0;
        words[(unsigned)rand() % (sizeof(*pages) / 4)] = (uint32_t)rand();
        pages->ring[round % 2].head = server.tail + odd[(unsigned)rand() % 15];
        pages->ring[round % 2].tail = server.head + odd[(unsigned)rand() % 15];
        while (channel_get(&server, (uint8_t[CHANNEL_ENTRY_SIZE]){0}))
            count++;
        assert_in_range(count, 0, CHANNEL_ENTRIES);
        put(&server, round);
        channel_flush(&server);
        channel_sleep(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(wraps, setup, teardown),
        cmocka_unit_test_setup_teardown(full, setup, teardown),
        cmocka_unit_test_setup_teardown(opened_again, setup, teardown),
        cmocka_unit_test_setup_teardown(notifications, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_positions, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_at_any_time, setup, teardown),
    };

    return cmocka_run_group_tests_name("a channel", tests, NULL, NULL);
}
