/* SPDX-License-Identifier: BSD-2-Clause */
/* What a port can do to the others: they keep their places, their room, their turns and their
 * frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/native/net/ports.h"

static void many_addresses(void **state)
{
    uint8_t from[NET_ADDRESS] = {2, 1};

    for (uint8_t i = 0; i < 15; i++) {
        send_frame(3, address_of(0), address_of((uint8_t)(0x60 + i)), 60);
        assert_int_equal(who_got(60), 1);
    }
    for (unsigned i = 0; i < 5000; i++) {
        from[4] = (uint8_t)(i >> 8);
        from[5] = (uint8_t)i;
        send_frame(2, address_of(1), from, 60);
        assert_int_equal(who_got(60), 2);
    }
    for (uint8_t i = 0; i < 15; i++) {
        send_frame(0, address_of((uint8_t)(0x60 + i)), address_of(0), 60);
        assert_int_equal(who_got(60), 8);
    }
    send_frame(0, from, address_of(0), 60); /* the last ones are known */
    assert_int_equal(who_got(60), 4);
}

static void takes_nothing(void **state)
{
    unsigned got = 0, sent = 0;
    struct net_entry e;

    for (; sent < 500; sent++) {
        send_frame(0, address_of(1), address_of(0), 1000);
        settle();
        send_frame(2, all, address_of(2), 900);
        settle();
        assert_non_null(next_frame(0, &e));
        net_take(&machine[0]);
        assert_non_null(next_frame(3, &e));
        net_take(&machine[3]);
    }
    assert_non_null(strstr(said, "vm1 has no room for what it is sent: 1 frames were dropped"));
    while (next_frame(1, &e) != NULL) {
        net_take(&machine[1]);
        got++;
    }
    assert_in_range(got, CHANNEL_ENTRIES * 3 / 4, CHANNEL_ENTRIES);
    tsc += 60000000;
    send_frame(0, address_of(1), address_of(0), 1000);
    assert_int_equal(who_got(1000), 2);
    for (unsigned i = 0; i < 100; i++) {
        send_frame(0, address_of(1), address_of(0), 1000);
        settle();
    }
    assert_non_null(strstr(said, "frames were dropped"));
    assert_null(strstr(said, " 1 frames"));
}

static void turns(void **state)
{
    struct net_entry e;
    unsigned before = 0;

    for (unsigned i = 0; i < 40; i++)
        send_frame(0, address_of(2), address_of(0), 1000);
    send_frame(1, address_of(2), address_of(1), 60);
    for (settle(); next_frame(2, &e) != NULL && e.size != 60; before++)
        net_take(&machine[2]);
    assert_int_equal(e.size, 60);
    assert_in_range(before, 0, 1);
}

static unsigned frames_in_a_second(unsigned from, const uint8_t *whom)
{
    uint64_t end = tsc + 1000 * info.tsc_khz;
    uint8_t to[NET_ADDRESS];
    unsigned got = 0;

    memcpy(to, whom, sizeof(to));
    while (tsc < end) {
        struct net_entry e;

        while (
            send_entry(from, to, address_of((uint8_t)from), (struct net_entry){.size = 60}, NULL))
            ;
        one_turn();
        for (unsigned port = 0; port < PORTS; port++)
            for (; next_frame(port, &e) != NULL; got += port == 1)
                net_take(&machine[port]);
        tsc += 10;
    }
    return got;
}

static void strangers(void **state)
{
    const unsigned most = 100000 / 100 * 1000 / 128 / PORTS; /* a frame takes 100 ticks */
    unsigned asked = 0;
    struct net_entry e;

    info.tsc_khz = 100000;
    passes = 100;
    start_switch();
    meet();
    find_price();
    assert_in_range(frames_in_a_second(0, all), 100, most);
    assert_in_range(frames_in_a_second(2, address_of(1)), 100, 2 * most); /* with those of 0 */
    assert_true(send_entry(0, all, address_of(0), (struct net_entry){.size = 60}, NULL));
    assert_true(timer > tsc || timer == 0); /* it waits without a turn of its own */
    for (unsigned i = 0; i < 1000; i++) {
        send_frame(3, address_of(1), address_of(0x90), 61);
        for (unsigned n = 0; n < 4; n++)
            one_turn();
        for (; next_frame(1, &e) != NULL; net_take(&machine[1]))
            asked += e.size == 61;
        if (i % 50 == 0)
            send_frame(1, address_of(0x90), address_of(1), 62);
        while (next_frame(3, &e) != NULL)
            net_take(&machine[3]);
    }
    assert_int_equal(asked, 1000);
    passes = 0;
}

static void shares(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry large = tcp_frame(rest, 60000), e;

    for (unsigned i = 0; i < 500; i++) {
        if (i % 2 == 0)
            send_frame(0, all, address_of(0), 60);
        else
            assert_true(send_entry(3, all, address_of(0x44), large, rest));
        settle();
        while (next_frame(0, &e) != NULL)
            net_take(&machine[0]);
        while (next_frame(3, &e) != NULL)
            net_take(&machine[3]);
    }
    send_frame(2, address_of(1), address_of(2), 99);
    send_frame(2, address_of(1), address_of(2), 98);
    settle();
    for (bool found = false; !found; net_take(&machine[1])) {
        assert_non_null(next_frame(1, &e));
        found = e.size == 99;
    }
    assert_non_null(next_frame(1, &e));
    assert_int_equal(e.size, 98);
}

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
        assert_true(
            send_entry(0, address_of(2), address_of(0), (struct net_entry){.size = size}, NULL));
        for (unsigned i = 0; i < 3; i++)
            one_turn();
        while ((frame = next_frame(2, &e)) != NULL) {
            found |= e.size == size && memcmp(frame, address_of(2), 6) == 0 &&
                     memcmp(frame + 6, address_of(0), 6) == 0;
            net_take(&machine[2]);
        }
        assert_true(found);
        while (next_frame(0, &e) != NULL)
            net_take(&machine[0]);
        while (next_frame(3, &e) != NULL)
            net_take(&machine[3]);
        number++;
    }
    assert_int_equal(number, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_addresses, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(takes_nothing, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(turns, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(strangers, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(shares, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(hostile, ports_setup, ports_teardown),
    };

    return cmocka_run_group_tests_name("a switch's bounds", tests, NULL, NULL);
}
