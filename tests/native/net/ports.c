/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/net/ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bits.h"
#include "runtime/gate.h"
#include "services/switch/switch.h"

struct process_info info;
struct net_end machine[PORTS];
unsigned notified[PORTS];
uint64_t events, tsc, timer, passes;
char said[4096];

static uint8_t *pages;
static uint64_t posted; /* channels that gate_notify was called for, and nobody was told of yet */
static bool switch_runs;
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

void one_turn(void)
{
    switch_runs = true;
    switch_turn();
    switch_runs = false;
}

void settle(void)
{
    waited = false;
    for (unsigned i = 0; !waited; i++) {
        assert_true(i < 10000);
        one_turn();
    }
}

uint8_t *pages_of(unsigned port)
{
    return pages + port * PROCESS_CHANNEL_STRIDE;
}

const uint8_t *next_frame(unsigned port, struct net_entry *e)
{
    const uint8_t *frame = net_next(&machine[port], e);

    net_flush(&machine[port]);
    return frame;
}

void start_switch(void)
{
    switch_runs = true;
    switch_start(&info, pages);
    switch_runs = false;
}

void meet(void)
{
    struct net_entry e;

    for (unsigned i = 0; i < 4; i++) {
        settle();
        for (unsigned port = 0; port < PORTS; port++)
            assert_null(next_frame(port, &e));
    }
}

const uint8_t all[NET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

const uint8_t *address_of(uint8_t last)
{
    static uint8_t ring[4][NET_ADDRESS];
    static unsigned count;
    uint8_t *bytes = ring[count++ % 4];

    memcpy(bytes, "\x02\x00\x00\x00\x00", 5);
    bytes[5] = last;
    return bytes;
}

bool send_entry(unsigned port, const uint8_t *to, const uint8_t *from, struct net_entry e,
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

void find_price(void)
{
    struct net_entry e;

    send_entry(3, address_of(0), address_of(0x90), (struct net_entry){.size = 60}, NULL);
    settle();
    assert_non_null(next_frame(0, &e));
    net_take(&machine[0]);
    tsc += 1000 * info.tsc_khz;
}

void ports_open(uint64_t tsc_khz)
{
    info = (struct process_info){.tsc_khz = tsc_khz, .channel_count = PORTS};
    pages = aligned_alloc(4096, PORTS * PROCESS_CHANNEL_STRIDE);
    memset(pages, 0, PORTS * PROCESS_CHANNEL_STRIDE);
    posted = events = 0;
    said[0] = '\0';
    for (unsigned i = 0; i < PORTS; i++) {
        struct process_channel *c = &info.channels[i];
        bool card = i == PORTS - 1;

        ASAN_POISON_MEMORY_REGION(pages_of(i) + NET_CHANNEL_SIZE,
                                  PROCESS_CHANNEL_STRIDE - NET_CHANNEL_SIZE);
        *c = (struct process_channel){.kind = PLAN_CHANNEL_NET, .server = !card};
        snprintf(c->peer, sizeof(c->peer), "vm%u", i);
        if (!card)
            snprintf(c->label, sizeof(c->label), "02:00:00:00:00:%02x", i);
        net_open(&machine[i], pages_of(i), i, card);
        net_set_takes(&machine[i], ALL);
    }
}

void ports_close(void)
{
    ASAN_UNPOISON_MEMORY_REGION(pages, PORTS * PROCESS_CHANNEL_STRIDE);
    free(pages);
}

int ports_setup(void **state)
{
    ports_open(1000);
    start_switch();
    for (unsigned i = 0; i < PORTS; i++)
        net_flush(&machine[i]);
    meet();
    find_price();
    memset(notified, 0, sizeof(notified));
    return 0;
}

int ports_teardown(void **state)
{
    ports_close();
    return 0;
}

void send_frame(unsigned port, const uint8_t *to, const uint8_t *from, uint32_t size)
{
    assert_true(send_entry(port, to, from, (struct net_entry){.size = size}, NULL));
}

unsigned who_got(uint32_t size)
{
    unsigned who = 0;

    settle();
    for (unsigned port = 0; port < PORTS; port++) {
        struct net_entry e;
        const uint8_t *frame = next_frame(port, &e);

        if (frame == NULL)
            continue;
        assert_int_equal(e.size, size);
        assert_int_equal(frame[12], (uint8_t)size);
        assert_int_equal(frame[size - 1], (uint8_t)size);
        net_take(&machine[port]);
        assert_null(next_frame(port, &e));
        who |= 1u << port;
    }
    return who;
}

struct net_entry tcp_frame(uint8_t *rest, uint32_t payload)
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
