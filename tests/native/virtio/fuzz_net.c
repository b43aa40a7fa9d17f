/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_net [SECONDS]: a network device between a guest that hands it anything and a switch that
 * sends frames of every length, or writes anything into the channel. The guest's chains are frames
 * with some of it wrong, buffers of any size, tables, descriptors of chance, and rings that change;
 * it resets the device under way, and takes other features. Whatever they do, what the switch gets
 * is a frame, the device writes to no memory that was not given to it, and a guest that is right
 * again sends and gets frames. The sanitizers see the rest. Without an argument it does as much
 * each time.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/native/virtio/driver.h"

#define NEXT     1
#define WRITE    2
#define INDIRECT 4

enum { RX, TX };

#define RAM       (4u << 20)
#define TABLE     0x2000 /* an indirect table, and a header for each slot behind it */
#define HEADERS   0x6000
#define HEADER    12u
#define FORBIDDEN 0x200000 /* nobody gives this to the device, to the end of the RAM */
#define ALL       (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)
#define LIVES     100u /* of a machine */
#define STEPS     300u /* in a life */

static unsigned long seconds, sent, got;
static struct board *b;
static struct driver d;
static struct net_end lan;
static struct process_info process;

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(random_u64() >> 32) % limit;
}

static uint8_t *at(uint64_t address)
{
    return driver_memory(&d, address);
}

static uint64_t place(void)
{
    static const uint64_t places[] = {0x40000, 0x40001, 0x80000,  0x100003,
                                      RAM,     RAM + 1, 1u << 30, UINT64_MAX - 600};

    return places[below(below(16) ? 4 : 8)];
}

static uint32_t size(void)
{
    static const uint32_t sizes[] = {0, 1, 11, 12, 13, 25, 26, 27, 60, 1500, 1526, 1530, 1531};

    return below(3) ? sizes[below(13)] : below(below(2) ? 2000 : 70000);
}

static void write_header(uint64_t where)
{
    struct net_header h = {.flags = (uint8_t)below(below(8) ? 2 : 256),
                           .gso_type = (uint8_t)(below(3)   ? 0
                                                 : below(8) ? 1 + 3 * below(2)
                                                            : below(256)),
                           .hdr_len = (uint16_t)below(0x10000),
                           .gso_size = (uint16_t)below(2000),
                           .csum_start = (uint16_t)(below(4) ? 34 : below(0x10000)),
                           .csum_offset = (uint16_t)(below(4) ? 16 : below(0x10000))};

    memcpy(at(where), &h, HEADER);
}

static void describe(unsigned queue, bool table, unsigned index, uint64_t address, uint32_t bytes,
                     uint16_t flags, uint16_t next)
{
    uint8_t *entry = at(TABLE + 16 * index);

    if (!table) {
        driver_describe(&d, queue, index, address, bytes, flags, next);
        return;
    }
    memcpy(entry, &address, 8);
    memcpy(entry + 8, &bytes, 4);
    memcpy(entry + 12, &flags, 2);
    memcpy(entry + 14, &next, 2);
}

/* A frame to send, or a buffer to receive, in some pieces. */
static void offer(void)
{
    bool table = below(4) == 0;
    unsigned queue = below(2), most = table ? 64 : TEST_SIZE, pieces = 1 + below(table ? 20 : 3);
    unsigned slot = below(TEST_SIZE), first = table ? 0 : slot;
    uint16_t kind = queue == RX ? WRITE : 0;

    write_header(HEADERS + 64 * slot);
    for (unsigned i = 0; i < pieces; i++) {
        bool last = i + 1 == pieces, head = i == 0 && queue == TX && below(8);
        uint32_t bytes = head && !last ? HEADER : size();
        uint64_t where = below(4) ? place() : FORBIDDEN - bytes;

        describe(queue, table, (first + i) % most, head ? HEADERS + 64 * slot : where, bytes,
                 (last ? 0 : NEXT) | (below(30) ? kind : WRITE - kind),
                 (uint16_t)((first + i + 1) % most));
    }
    if (table)
        driver_describe(&d, queue, slot, TABLE, 16 * (below(20) ? pieces : below(64)), INDIRECT, 0);
    if (!below(60))
        *at(RINGS_AT + RINGS_STRIDE * queue + below(0x2100)) ^= (uint8_t)(1u << below(8));
    driver_offer(&d, queue, (uint16_t)(below(60) ? slot : below(0x10000)));
}

/* All that has come is a frame, or says something. */
static void listen(void)
{
    struct net_entry e;

    while (channel_peek(&lan.channel, &e)) {
        assert_in_range(e.what, NET_HELLO, NET_LINK);
        if (e.what == NET_FRAME) {
            assert_true(net_is_frame(&e, lan.takes));
            assert_true(e.offset <= NET_HALF && e.size <= NET_HALF - e.offset);
        }
        if (net_next(&lan, &e) == NULL)
            break;
        net_take(&lan);
        sent++;
    }
    net_flush(&lan);
    board_events(b, EVENT_CHANNEL(0));
}

static void send(uint32_t bytes)
{
    struct net_entry e = {.size = bytes};
    uint8_t *frame = net_place(&lan, bytes);

    if (frame == NULL)
        return;
    if (bytes > NET_FRAME_MTU || below(4) == 0)
        e = (struct net_entry){.size = bytes,
                               .flags = NET_NEEDS_CHECKSUM,
                               .gso = bytes > 100 ? NET_GSO_TCP4 : NET_GSO_NONE,
                               .segment_size = 1448};
    memset(frame, (int)bytes, bytes);
    if (net_needs(&e) & ~lan.other_takes)
        return;
    net_put(&lan, &e);
    net_flush(&lan);
    board_events(b, EVENT_CHANNEL(0));
}

static void noise(void)
{
    struct channel *pages = fakes.channels;
    struct channel_ring *ring = &pages->ring[1];
    struct net_entry *e = (void *)ring->entry[ring->tail % CHANNEL_ENTRIES];

    *e = (struct net_entry){.what = below(8) ? NET_FRAME : below(5),
                            .flags = below(4) ? 0 : (uint32_t)random_u64(),
                            .offset = below(8) ? below(NET_HALF) : (uint32_t)random_u64(),
                            .size = size(),
                            .gso = (uint16_t)(below(2) ? 0 : below(4)),
                            .segment_size = (uint16_t)below(2000),
                            .checksum_start = (uint16_t)below(2000)};
    ring->tail += below(3);
    if (!below(8))
        ((uint8_t *)pages)[below(0x2200)] ^= (uint8_t)(1u << below(8));
    board_events(b, EVENT_CHANNEL(0));
}

static void restart(uint64_t features)
{
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    driver_start(&d, features | VERSION_1);
    driver_kick(&d, RX);
}

static void step(bool noisy)
{
    if (!below(4) && driver_get(&d, STATUS, 1) & NEEDS_RESET)
        restart(UINT64_MAX);
    switch (below(12)) {
    case 0:
        if (!below(4))
            restart(below(2) ? UINT64_MAX : random_u64());
        break;
    case 1:
    case 2:
    case 3:
        noisy ? noise() : send(NET_FRAME_MIN + below(below(4) ? 1505 : 60000));
        break;
    case 4:
        if (!noisy)
            listen();
        break;
    default:
        offer();
    }
}

static void begin(void)
{
    fakes_reset();
    process = (struct process_info){.tsc_khz = 1000000, .channel_count = 1};
    fakes.channels = aligned_alloc(4096, NET_CHANNEL_SIZE);
    memset(fakes.channels, 0, NET_CHANNEL_SIZE);
    process.channels[0] = (struct process_channel){.kind = PLAN_CHANNEL_NET,
                                                   .size = NET_CHANNEL_SIZE,
                                                   .peer = "lan",
                                                   .label = "02:00:00:00:00:01"};
    net_open(&lan, fakes.channels, 0, true);
    net_set_takes(&lan, below(4) ? ALL : 0);
    net_flush(&lan);
    fakes.process = &process;
    b = fake_board_with(RAM, NULL);
    driver_find(&d, b, 1);
    memset(at(FORBIDDEN), 0x5a, RAM - FORBIDDEN);
    driver_start(&d, UINT64_MAX);
    driver_kick(&d, RX);
}

/* It works as one that nothing has happened to. */
static void works(void)
{
    uint32_t written;

    restart(UINT64_MAX);
    for (unsigned i = 0; i < 4; i++)
        listen();
    driver_describe(&d, RX, 0, 0x40000, 0x20000, WRITE, 0);
    driver_offer(&d, RX, 0);
    for (unsigned i = 0; i < 4 && driver_take(&d, RX, &written) < 0; i++)
        send(500);
    assert_int_equal(written, HEADER + 500);
    memset(at(0x80000), 0, HEADER);
    driver_describe(&d, TX, 0, 0x80000, HEADER + 60, 0, 0);
    driver_offer(&d, TX, 0);
    assert_int_equal(driver_take(&d, TX, &written), 0);
    got++;
}

static void live(bool noisy)
{
    begin();
    for (unsigned i = 0; i < STEPS; i++)
        step(noisy);
    if (!noisy)
        works();
    for (uint32_t i = FORBIDDEN; i < RAM; i++)
        if (*at(i) != 0x5a)
            fail_msg("the device has written to %x", i);
    fake_board_free(b);
    free(fakes.channels);
    fakes.process = NULL;
}

static void fuzz(void **state)
{
    time_t end = time(NULL) + (time_t)seconds;

    for (unsigned i = 0; seconds == 0 ? i < LIVES : time(NULL) < end; i++) {
        live(false);
        live(true);
    }
    print_message("%lu frames were sent; %lu guests worked again\n", sent, got);
    assert_true(sent > 1000 && got > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fuzz)};

    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
