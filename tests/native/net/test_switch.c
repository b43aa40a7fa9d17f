/* SPDX-License-Identifier: BSD-2-Clause */
/* A switch and the machines at its ports: who gets what, and what is done to frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/native/net/ports.h"

static void to_whom(void **state)
{
    send_frame(0, address_of(1), address_of(0), 60);
    assert_int_equal(who_got(60), 2);
    send_frame(1, all, address_of(1), 61);
    assert_int_equal(who_got(61), 13);
    send_frame(2, (const uint8_t *)"\x01\x00\x5e\x00\x00\x01", address_of(2), 62);
    assert_int_equal(who_got(62), 11);
    send_frame(0, address_of(0x99), address_of(0), 63); /* nobody knows where that is */
    assert_int_equal(who_got(63), 14);
    send_frame(3, address_of(0), address_of(0x99), 64);
    assert_int_equal(who_got(64), 1);
    send_frame(0, address_of(0x99), address_of(0), 65); /* it is behind the card */
    assert_int_equal(who_got(65), 8);
    send_frame(0, address_of(0), address_of(0), 66); /* to itself */
    assert_int_equal(who_got(66), 0);
    for (uint32_t size = NET_FRAME_MIN; size <= NET_FRAME_MTU; size++) {
        send_frame(2, address_of(0), address_of(2), size);
        assert_int_equal(who_got(size), 1);
    }
    send_frame(0, address_of(1), address_of(0), NET_FRAME_MTU + 1);
    assert_int_equal(who_got(0), 0);
}

static void moves(void **state)
{
    send_frame(0, all, address_of(0x50), 60);
    assert_int_equal(who_got(60), 14);
    send_frame(1, address_of(0x50), address_of(1), 60);
    assert_int_equal(who_got(60), 1);
    send_frame(2, all, address_of(0x50), 60);
    who_got(60);
    send_frame(1, address_of(0x50), address_of(1), 60);
    assert_int_equal(who_got(60), 4);
    send_frame(2, all, address_of(1), 60); /* VM 2 says that it is VM 1 */
    who_got(60);
    send_frame(0, address_of(1), address_of(0), 60);
    assert_int_equal(who_got(60), 2);
    send_frame(2, all, all, 60); /* and that it is everybody */
    who_got(60);
    send_frame(0, all, address_of(0), 60);
    assert_int_equal(who_got(60), 14);
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

static void whole(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;
    const uint8_t *frame;

    assert_true(send_entry(0, address_of(1), address_of(0), sent, rest));
    settle();
    frame = next_frame(1, &e);
    assert_non_null(frame);
    assert_memory_equal(frame + 12, rest, sent.size - 12);
    e.offset = 0;
    sent.what = NET_FRAME;
    assert_memory_equal(&e, &sent, sizeof(e));
}

/* From then on VM 0 may send it all of a longer frame. */
static void ask(void)
{
    send_frame(1, address_of(0), address_of(1), 60);
    assert_int_equal(who_got(60), 1);
}

static void cut(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;
    const uint8_t *frame;
    uint32_t at = 0;

    net_set_takes(&machine[1], 0);
    meet();
    ask();
    assert_true(send_entry(0, address_of(1), address_of(0), sent, rest));
    settle();
    while ((frame = next_frame(1, &e)) != NULL) {
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
    assert_true(send_entry(0, address_of(1), address_of(0), sent, rest));
    settle();
    frame = next_frame(1, &e);
    assert_non_null(frame);
    assert_int_equal(e.flags, 0);
    assert_int_equal((sum_of(frame + 34, e.size - 34) + 0x1234) % 0xffff, 0);
    net_take(&machine[1]);
}

static void cut_without_room(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;
    unsigned got = 0;

    sent.segment_size = 1;
    net_set_takes(&machine[1], 0);
    meet();
    ask();
    assert_true(send_entry(0, address_of(1), address_of(0), sent, rest));
    settle();
    for (; next_frame(1, &e) != NULL; got++)
        net_take(&machine[1]);
    assert_int_equal(got, CHANNEL_ENTRIES * 4 / 5);
    sent.checksum_offset = 6; /* no TCP: it is nobody's */
    assert_true(send_entry(0, address_of(1), address_of(0), sent, rest));
    settle();
    assert_null(next_frame(1, &e));
}

/* Who has not asked is sent the first two. */
static void cut_by_a_stranger(void **state)
{
    static uint8_t rest[NET_FRAME_MAX];
    struct net_entry sent = tcp_frame(rest, 60000), e;

    net_set_takes(&machine[1], 0);
    meet();
    assert_true(send_entry(0, address_of(1), address_of(0), sent, rest));
    settle();
    for (unsigned i = 0; i < 2; i++) {
        assert_non_null(next_frame(1, &e));
        assert_int_equal(e.size, 1514);
        net_take(&machine[1]);
    }
    assert_null(next_frame(1, &e));
}

static void started_again(void **state)
{
    send_frame(3, all, address_of(0x70), 60);
    assert_int_equal(who_got(60), 7);
    start_switch();
    meet();
    send_frame(0, address_of(1), address_of(0), 60);
    assert_int_equal(who_got(60), 2);
    send_frame(0, address_of(0x70), address_of(0), 60);
    assert_int_equal(who_got(60), 14);
    whole(state);
    net_take(&machine[1]);
    net_open(&machine[1], pages_of(1), 1, false);
    net_flush(&machine[1]);
    meet();
    cut(state); /* it has said that it takes nothing */
}

static void links(void **state)
{
    assert_true(machine[0].link && machine[1].link && machine[2].link);
    info.channels[1].ended = info.channels[2].ended = 1;
    events |= EVENT_CHANNEL(1) | EVENT_CHANNEL(2);
    meet();
    assert_false(machine[0].link); /* the card has said nothing of its own */
    send_frame(0, all, address_of(0), 60);
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

static void told(void **state)
{
    struct net_entry e;

    assert_true(channel_sleep(&machine[1].channel));
    for (unsigned i = 0; i < 10; i++)
        send_frame(0, address_of(1), address_of(0), 500);
    settle();
    assert_int_equal(notified[1], 1);
    assert_int_equal(notified[2] + notified[3], 0);
    for (unsigned i = 0; i < 10; i++, net_take(&machine[1]))
        assert_non_null(next_frame(1, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(to_whom, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(moves, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(whole, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(cut, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(cut_without_room, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(cut_by_a_stranger, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(started_again, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(links, ports_setup, ports_teardown),
        cmocka_unit_test_setup_teardown(told, ports_setup, ports_teardown),
    };

    return cmocka_run_group_tests_name("a switch", tests, NULL, NULL);
}
