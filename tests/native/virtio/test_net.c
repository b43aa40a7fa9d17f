/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device (virtio 1.2, 5.1), from a driver's ports to a switch's end of the channel. */
#include <stdlib.h>
#include <string.h>

#include "tests/native/virtio/driver.h"

#define NEXT  1
#define WRITE 2

enum { RX, TX };

#define F_CSUM       (1u << 0)
#define F_GUEST_CSUM (1u << 1)
#define F_MTU        (1u << 3)
#define F_MAC        (1u << 5)
#define F_GUEST_TSO4 (1u << 7)
#define F_GUEST_TSO6 (1u << 8)
#define F_HOST_TSO4  (1u << 11)
#define F_HOST_TSO6  (1u << 12)
#define F_MRG_RXBUF  (1u << 15)
#define F_STATUS     (1u << 16)

#define ALL     (NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6)
#define HEADER  12u
#define FRAME   0x40000 /* what is sent */
#define BUFFERS 0x80000
#define BUFFER  0x20000 /* between two of them */
#define RAM     (64u << 20)
#define NETS    2u
#define MAC     "02:11:22:33:44:5"

static struct board *b;
static struct driver d;
static struct net_end lan[NETS]; /* the switches' ends */
static struct process_info process;

static void event(unsigned n)
{
    net_flush(&lan[n]);
    board_events(b, EVENT_CHANNEL(n));
}

static void meet(unsigned n)
{
    struct net_entry e;

    for (unsigned i = 0; i < 3; i++) {
        assert_null(net_next(&lan[n], &e));
        event(n);
    }
    net_next(&lan[n], &e);
}

static void start(uint64_t features)
{
    driver_find(&d, b, 1);
    driver_start(&d, features);
    driver_kick(&d, RX);
    meet(0);
}

/* Two networks, whose switches run already. */
static int setup(void **state)
{
    fakes_reset();
    process = (struct process_info){.tsc_khz = 1000000, .channel_count = NETS};
    fakes.channels = aligned_alloc(4096, NETS * PROCESS_CHANNEL_STRIDE);
    memset(fakes.channels, 0, NETS * PROCESS_CHANNEL_STRIDE);
    for (unsigned n = 0; n < NETS; n++) {
        process.channels[n] = (struct process_channel){
            .kind = PLAN_CHANNEL_NET, .size = NET_CHANNEL_SIZE, .peer = "lan"};
        memcpy(process.channels[n].label, MAC, sizeof(MAC));
        process.channels[n].label[16] = (char)('5' + n);
        net_open(&lan[n], (uint8_t *)fakes.channels + n * PROCESS_CHANNEL_STRIDE, n, true);
        net_set_takes(&lan[n], ALL);
        net_set_link(&lan[n], true);
        net_flush(&lan[n]);
    }
    fakes.process = &process;
    b = fake_board_with(RAM, NULL);
    start(UINT64_MAX);
    meet(1);
    return 0;
}

static int teardown(void **state)
{
    fake_board_free(b);
    free(fakes.channels);
    fakes.process = NULL;
    return 0;
}

static uint8_t *at(uint64_t address)
{
    return driver_memory(&d, address);
}

static uint8_t byte_of(uint32_t i)
{
    return (uint8_t)(i * 5 + i / 256);
}

static void identity(void **state)
{
    assert_int_equal(driver_config(&d, 0, 4), 0x10411af4);
    assert_int_equal(driver_config(&d, 10, 2), 0x0200); /* a network controller: Ethernet */
    assert_int_equal(driver_get(&d, QUEUES, 2), 2);
    assert_int_equal(board_load(b, 0, d.config, 4), 0x33221102);
    assert_int_equal(board_load(b, 0, d.config + 4, 2), 0x5544);
    assert_int_equal(board_load(b, 0, d.config + 6, 2), 1);     /* the link is up */
    assert_int_equal(board_load(b, 0, d.config + 10, 2), 1500); /* mtu */
    driver_set(&d, OFFERED_SELECT, 4, 0);
    assert_int_equal(driver_get(&d, OFFERED, 4),
                     F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 |
                         F_HOST_TSO4 | F_HOST_TSO6 | F_MRG_RXBUF | F_STATUS | 1u << 28 | 1u << 29);
    driver_find(&d, b, 2); /* the other network's */
    assert_int_equal(driver_config(&d, 0, 4), 0x10411af4);
    assert_int_equal(board_load(b, 0, d.config + 4, 2), 0x5644);
}

/* The header and a frame in one descriptor, or the frame in several pieces. */
static void offer_frame(const struct net_header *h, uint32_t size, unsigned pieces)
{
    uint32_t done = 0;

    memcpy(at(FRAME), h, HEADER);
    for (uint32_t i = 0; i < size; i++)
        at(FRAME + HEADER)[i] = byte_of(i);
    if (pieces <= 1) {
        driver_describe(&d, TX, 0, FRAME, HEADER + size, 0, 0);
    } else {
        driver_describe(&d, TX, 0, FRAME, 5, NEXT, 1); /* not even the header is in one */
        for (unsigned i = 1; i < pieces; i++) {
            uint32_t here =
                i + 1 < pieces ? (HEADER - 5 + size) / pieces : HEADER - 5 + size - done;

            driver_describe(&d, TX, i, FRAME + 5 + done, here, i + 1 < pieces ? NEXT : 0,
                            (uint16_t)(i + 1));
            done += here;
        }
    }
    driver_offer(&d, TX, 0);
}

/* What the switch gets next; NULL: nothing. */
static const uint8_t *received(struct net_entry *e)
{
    const uint8_t *frame = net_next(&lan[0], e);

    for (uint32_t i = 0; frame != NULL && i < e->size; i++)
        if (frame[i] != byte_of(i))
            fail_msg("byte %u", i);
    return frame;
}

static void sends(void **state)
{
    static const struct net_header none;
    struct net_entry e;
    uint32_t written;

    for (uint32_t size = NET_FRAME_MIN; size <= NET_FRAME_MTU; size += 1 + size / 40)
        for (unsigned pieces = 1; pieces <= TEST_SIZE; pieces++) {
            offer_frame(&none, size, pieces);
            assert_int_equal(driver_take(&d, TX, &written), 0);
            assert_int_equal(written, 0);
            assert_non_null(received(&e));
            assert_int_equal(e.size, size);
            assert_int_equal(e.flags | e.gso, 0);
            net_take(&lan[0]);
            assert_null(received(&e));
        }
}

static void sends_segments(void **state)
{
    struct net_header h = {.flags = 1,
                           .gso_type = 1,
                           .hdr_len = 66,
                           .gso_size = 1448,
                           .csum_start = 34,
                           .csum_offset = 16};
    struct net_entry e;
    uint32_t written;

    offer_frame(&h, 65000, 3);
    assert_int_equal(driver_take(&d, TX, &written), 0);
    assert_non_null(received(&e));
    assert_int_equal(e.size, 65000);
    assert_int_equal(e.gso, NET_GSO_TCP4);
    assert_int_equal(e.flags, NET_NEEDS_CHECKSUM);
    assert_int_equal(e.header_size, 66);
    assert_int_equal(e.segment_size, 1448);
    assert_int_equal(e.checksum_start, 34);
    assert_int_equal(e.checksum_offset, 16);
    net_take(&lan[0]);
    h.gso_type = 4;
    offer_frame(&h, 3000, 1);
    assert_non_null(received(&e));
    assert_int_equal(e.gso, NET_GSO_TCP6);
}

/* What is no frame is given back, and goes nowhere. The log says so once. */
static void sends_wrong(void **state)
{
    static const struct {
        struct net_header h;
        uint32_t size;
    } wrong[] = {
        {{0}, 13},
        {{0}, 0},
        {{0}, NET_FRAME_MTU + 1},
        {{.gso_type = 1, .gso_size = 1}, 3000},           /* without a checksum */
        {{.flags = 1, .gso_type = 1}, 3000},              /* of no size */
        {{.flags = 1, .gso_type = 3, .gso_size = 1}, 60}, /* UDP: not offered */
        {{.flags = 1, .gso_type = 0x81, .gso_size = 1}, 60},
        {{.flags = 1, .csum_start = 60}, 60},
        {{.flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff}, 60},
        {{.flags = 1, .gso_type = 1, .gso_size = 1448, .csum_start = 34}, NET_FRAME_MAX + 1},
    };
    struct net_entry e;
    uint32_t written;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        offer_frame(&wrong[i].h, wrong[i].size, 1);
        assert_int_equal(driver_take(&d, TX, &written), 0);
        assert_null(received(&e));
    }
    driver_describe(&d, TX, 0, FRAME, 11, 0, 0);
    driver_offer(&d, TX, 0);
    assert_int_equal(driver_take(&d, TX, &written), 0);
    driver_describe(&d, TX, 0, FRAME, 100, WRITE, 0); /* nothing that is read */
    driver_offer(&d, TX, 0);
    assert_int_equal(driver_take(&d, TX, &written), 0);
    assert_null(received(&e));
    assert_non_null(strstr(fakes.log, "net " MAC "5: a frame of 25 bytes is dropped, and others"));
    assert_null(strstr(strstr(fakes.log, "is dropped") + 1, "is dropped"));
}

/* While the switch takes nothing the frame that found no room waits, and is sent later. */
static void waits_for_room(void **state)
{
    static const struct net_header none;
    struct net_entry e;
    unsigned sent = 0, got = 0;
    uint32_t written;

    for (;; sent++) {
        offer_frame(&none, 1000, 1);
        if (driver_take(&d, TX, &written) < 0)
            break;
    }
    assert_int_equal(sent, CHANNEL_ENTRIES);
    while (received(&e) != NULL) {
        net_take(&lan[0]);
        event(0);
        got++;
    }
    assert_int_equal(got, CHANNEL_ENTRIES + 1);
    assert_int_equal(driver_take(&d, TX, &written), 0);
}

/* A reset with a frame that waits: it is never sent. */
static void reset_while_it_waits(void **state)
{
    static const struct net_header none;
    struct net_entry e;
    unsigned got = 0;
    uint32_t written;

    do
        offer_frame(&none, 1000, 1);
    while (driver_take(&d, TX, &written) >= 0);
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    for (; received(&e) != NULL; got++) {
        net_take(&lan[0]);
        event(0);
    }
    assert_int_equal(got, CHANNEL_ENTRIES);
    start(UINT64_MAX);
    offer_frame(&none, 100, 1);
    assert_non_null(received(&e));
    assert_int_equal(e.size, 100);
}

/* Buffers of this size at the slots from 0 on. */
static void give_buffers(unsigned count, uint32_t size)
{
    for (unsigned i = 0; i < count; i++) {
        memset(at(BUFFERS + i * BUFFER), 0xee, BUFFER);
        driver_describe(&d, RX, i, BUFFERS + i * BUFFER, size, WRITE, 0);
        driver_offer(&d, RX, (uint16_t)i);
    }
}

static void put_entry(struct net_entry *e)
{
    uint8_t *place = net_place(&lan[0], e->size);

    assert_non_null(place);
    for (uint32_t i = 0; i < e->size; i++)
        place[i] = byte_of(i);
    net_put(&lan[0], e);
    event(0);
}

static void put(uint32_t size)
{
    put_entry(&(struct net_entry){.size = size});
}

static struct net_entry segment(uint32_t size)
{
    return (struct net_entry){.size = size,
                              .flags = NET_NEEDS_CHECKSUM,
                              .gso = NET_GSO_TCP4,
                              .header_size = 66,
                              .segment_size = 1448,
                              .checksum_start = 34,
                              .checksum_offset = 16};
}

/* The next frame is in so many buffers of a size, from this slot on. */
static void check_frame(unsigned slot, uint32_t size, uint32_t buffer, unsigned count)
{
    struct net_header h;
    uint32_t done = 0, written;

    memcpy(&h, at(BUFFERS + slot * BUFFER), HEADER);
    assert_int_equal(h.num_buffers, count);
    for (unsigned i = 0; i < count; i++) {
        uint32_t start = i == 0 ? HEADER : 0;
        uint32_t here = size - done < buffer - start ? size - done : buffer - start;

        assert_int_equal(driver_take(&d, RX, &written), slot + i);
        assert_int_equal(written, start + here);
        for (uint32_t k = 0; k < here; k++)
            if (at(BUFFERS + (slot + i) * BUFFER + start)[k] != byte_of(done + k))
                fail_msg("byte %u", done + k);
        assert_int_equal(at(BUFFERS + (slot + i) * BUFFER)[buffer], 0xee);
        done += here;
    }
    assert_int_equal(done, size);
}

static void receives(void **state)
{
    struct net_header h;
    uint32_t written;

    for (uint32_t size = NET_FRAME_MIN; size <= NET_FRAME_MTU; size += 1 + size / 40) {
        give_buffers(1, 1530);
        put(size);
        check_frame(0, size, 1530, 1);
        memcpy(&h, at(BUFFERS), HEADER);
        assert_int_equal(h.flags | h.gso_type, 0);
        assert_int_equal(driver_take(&d, RX, &written), -1);
    }
}

/* 5.1.6.4: as many buffers as it takes; exactly filled ones, too. */
static void receives_merged(void **state)
{
    struct net_entry e = segment(11000);
    struct net_header h;

    give_buffers(8, 1500);
    put_entry(&e);
    check_frame(0, 11000, 1500, 8);
    memcpy(&h, at(BUFFERS), HEADER);
    assert_int_equal(h.flags, 1);
    assert_int_equal(h.gso_type, 1);
    assert_int_equal(h.hdr_len, 66);
    assert_int_equal(h.gso_size, 1448);
    assert_int_equal(h.csum_start, 34);
    assert_int_equal(h.csum_offset, 16);
    give_buffers(4, 100);
    put(88);
    check_frame(0, 88, 100, 1);
    put(89);
    check_frame(1, 89, 100, 2);
    give_buffers(1, 1000); /* slot 0 again, behind slot 3 */
    put(60);
    check_frame(3, 60, 100, 1);
    put(60);
    check_frame(0, 60, 1000, 1);
}

/* A frame waits for buffers, and those behind it do; the log says nothing. */
static void waits_for_buffers(void **state)
{
    uint32_t written;

    put(500);
    put(300);
    assert_int_equal(driver_take(&d, RX, &written), -1);
    give_buffers(1, 200);
    assert_int_equal(driver_take(&d, RX, &written), -1);
    driver_describe(&d, RX, 1, BUFFERS + BUFFER, 200, WRITE, 0);
    memset(at(BUFFERS + BUFFER), 0xee, BUFFER);
    driver_offer(&d, RX, 1);
    assert_int_equal(driver_take(&d, RX, &written), -1);
    driver_describe(&d, RX, 2, BUFFERS + 2 * BUFFER, 200, WRITE, 0);
    memset(at(BUFFERS + 2 * BUFFER), 0xee, BUFFER);
    driver_offer(&d, RX, 2);
    check_frame(0, 500, 200, 3);
    give_buffers(2, 200);
    check_frame(0, 300, 200, 2);
    assert_null(strstr(fakes.log, "dropped"));
}

/* What cannot have room in all buffers of a ring is dropped; what is behind it is not. */
static void too_long(void **state)
{
    struct net_entry e = segment(9000);

    give_buffers(TEST_SIZE, 1000);
    put_entry(&e);
    put(700);
    check_frame(0, 700, 1000, 1);
    assert_non_null(strstr(fakes.log, "a frame of 9000 bytes is dropped, and others like it: the "
                                      "guest's buffers are too small for it"));
    start(UINT64_MAX & ~(uint64_t)F_MRG_RXBUF);
    give_buffers(2, 1000);
    put(1000);
    put(988);
    check_frame(0, 988, 1000, 1);
}

/* 5.1.6.3.1: a buffer without room for a header is the driver's fault. */
static void small_buffer(void **state)
{
    give_buffers(1, 11);
    put(60);
    assert_true(driver_get(&d, STATUS, 1) & NEEDS_RESET);
    start(UINT64_MAX);
    give_buffers(1, 100);
    put(60);
    check_frame(0, 60, 100, 1);
}

/* What the driver takes is what the switch is told; what it did not ask for does not reach it. */
static void features(void **state)
{
    struct net_entry e = segment(3000);
    uint32_t written;

    assert_int_equal(lan[0].other_takes & ALL, ALL);
    start(VERSION_1 | F_GUEST_CSUM | F_MRG_RXBUF | F_GUEST_TSO6);
    assert_int_equal(lan[0].other_takes, NET_TAKES_CHECKSUM | NET_TAKES_TCP6);
    give_buffers(4, 1500);
    put_entry(&e);
    assert_int_equal(driver_take(&d, RX, &written), -1);
    start(VERSION_1 | F_GUEST_TSO4 | F_MRG_RXBUF);
    assert_int_equal(lan[0].other_takes, 0);
    e = segment(60);
    e.gso = NET_GSO_NONE;
    give_buffers(1, 1500);
    put_entry(&e);
    assert_int_equal(driver_take(&d, RX, &written), -1);
    e = (struct net_entry){.size = 60, .flags = NET_CHECKSUM_GOOD};
    put_entry(&e);
    check_frame(0, 60, 1500, 1);
    assert_int_equal(*at(BUFFERS), 0); /* it was not asked for */
    start(UINT64_MAX);
    give_buffers(1, 1500);
    e = (struct net_entry){.size = 60, .flags = NET_CHECKSUM_GOOD};
    put_entry(&e);
    check_frame(0, 60, 1500, 1);
    assert_int_equal(*at(BUFFERS), 2);
}

/* Before the driver runs, and after a reset, nothing is kept for it. */
static void nothing_kept(void **state)
{
    uint32_t written;

    put(60);
    driver_set(&d, STATUS, 1, 0);
    put(61);
    board_reset(b);
    put(62);
    start(UINT64_MAX);
    give_buffers(1, 100);
    assert_int_equal(driver_take(&d, RX, &written), -1);
    put(63);
    check_frame(0, 63, 100, 1);
}

static void link_changes(void **state)
{
    unsigned before = fakes.messages, generation = driver_get(&d, GENERATION, 1);

    net_set_link(&lan[0], false);
    event(0);
    assert_int_equal(board_load(b, 0, d.config + 6, 2), 0);
    assert_int_equal(fakes.messages, before + 1);
    assert_int_equal(fakes.message_data[before % FAKE_MESSAGES], TEST_VECTOR + CONFIG_ENTRY);
    assert_int_not_equal(driver_get(&d, GENERATION, 1), generation);
    event(0);
    assert_int_equal(fakes.messages, before + 1);
    net_set_link(&lan[0], true);
    event(0);
    assert_int_equal(board_load(b, 0, d.config + 6, 2), 1);
    process.channels[0].ended = 1; /* the switch, for good */
    event(0);
    assert_int_equal(board_load(b, 0, d.config + 6, 2), 0);
}

/* One interrupt for each direction, and one word to the switch for all that a kick has. */
static void interrupts(void **state)
{
    static const struct net_header none;
    unsigned before = fakes.messages;
    struct net_entry e;

    give_buffers(3, 1530);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *place = net_place(&lan[0], 60);

        memset(place, 0, 60);
        net_put(&lan[0], &(struct net_entry){.size = 60});
    }
    event(0);
    assert_int_equal(fakes.messages, before + 1);
    assert_int_equal(fakes.message_data[before % FAKE_MESSAGES], TEST_VECTOR + QUEUE_ENTRY(RX));
    net_next(&lan[0], &e);
    channel_sleep(&lan[0].channel);
    fakes.notified = 0;
    offer_frame(&none, 60, 1);
    assert_int_equal(fakes.notified, 1);
    assert_int_equal(fakes.message_data[(before + 1) % FAKE_MESSAGES],
                     TEST_VECTOR + QUEUE_ENTRY(TX));
}

/* A switch that was started again. */
static void new_switch(void **state)
{
    static const struct net_header none;
    struct net_entry e;

    give_buffers(2, 1530);
    put(60);
    check_frame(0, 60, 1530, 1);
    net_open(&lan[0], fakes.channels, 0, true);
    net_set_takes(&lan[0], ALL);
    net_set_link(&lan[0], true);
    event(0);
    meet(0);
    assert_int_equal(lan[0].other_takes, ALL);
    put(70);
    check_frame(1, 70, 1530, 1);
    offer_frame(&none, 60, 1);
    assert_non_null(received(&e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(identity, setup, teardown),
        cmocka_unit_test_setup_teardown(sends, setup, teardown),
        cmocka_unit_test_setup_teardown(sends_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(sends_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_room, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_while_it_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(receives, setup, teardown),
        cmocka_unit_test_setup_teardown(receives_merged, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(small_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(features, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(link_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(new_switch, setup, teardown),
    };

    return cmocka_run_group_tests_name("virtio net", tests, NULL, NULL);
}
