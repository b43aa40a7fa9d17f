/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of network cards, from its client's end of the channel to the wire of a simulated
 * card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "drivers/e1000.h"
#include "e1000_device.h"
#include "lib/bits.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/net.h"

#define DMA_PHYSICAL 0x7ff00000ULL
#define DMA_SIZE     0x102000ULL
#define TSC_KHZ      1000u
#define MOST         400u

static struct process_info info;
static struct net_end client;
static uint64_t now, timer;
static uint64_t posted;
static bool waited, held;
static char said[512], said_before[512]; /* the last lines of the log */
static uint8_t *dma;

/* What was sent, and what the client got. */
static struct frames {
    unsigned count;
    uint32_t size[MOST];
    uint8_t data[MOST][NET_FRAME_MTU];
} sent, got;

uint32_t chance(uint32_t below)
{
    static uint32_t seed = 1;

    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

uint8_t *reach(uint64_t physical, uint64_t size)
{
    assert_true(physical >= DMA_PHYSICAL && physical + size <= DMA_PHYSICAL + DMA_SIZE);
    return dma + (physical - DMA_PHYSICAL);
}

static void add(struct frames *f, const uint8_t *frame, uint32_t size)
{
    assert_true(f->count < MOST && size <= NET_FRAME_MTU);
    f->size[f->count] = size;
    memcpy(f->data[f->count++], frame, size);
}

void wire_out(const uint8_t *frame, uint32_t size)
{
    add(&sent, frame, size);
}

uint64_t gate_tsc(void)
{
    now += TSC_KHZ / 10;
    e1000_tick();
    return now;
}

int64_t gate_timer(uint64_t tsc)
{
    timer = tsc;
    return 0;
}

void gate_notify(unsigned channel)
{
    posted = 1;
}

void gate_send(void)
{
}

void gate_interrupts_done(uint64_t interrupts)
{
    assert_in_range(interrupts, 0, 1);
    held &= interrupts == 0;
}

/* Whatever happens next. */
int64_t gate_wait(void)
{
    uint64_t events = 0;

    e1000_work();
    if (info.interrupt_count > 0 && !held && e1000_interrupts()) {
        events |= EVENT_INTERRUPT(0);
        held = true;
    }
    if (events == 0 && timer != UINT64_MAX) {
        now = max_u64(now, timer);
        timer = UINT64_MAX;
        events |= EVENT_TIMER;
    }
    waited = events == 0 || (info.interrupt_count == 0 && chance(8) == 0);
    return (int64_t)events;
}

void log_line(const char *fmt, ...)
{
    va_list args;

    memcpy(said_before, said, sizeof(said));
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
}

_Noreturn void log_stop(enum gate_stop why, const char *fmt, ...)
{
    fail_msg("it has stopped: %s", fmt);
    abort();
}

/* The driver works until it has nothing to do. */
static void settle(void)
{
    waited = false;
    for (unsigned i = 0; !waited; i++) {
        assert_true(i < 20000);
        e1000_turn();
    }
}

/* The client takes what there is. */
static void take(void)
{
    struct net_entry e;
    const uint8_t *frame;

    while ((frame = net_next(&client, &e)) != NULL) {
        add(&got, frame, e.size);
        net_take(&client);
    }
    net_flush(&client);
}

static void exchange(void)
{
    for (unsigned i = 0; i < 4; i++) {
        settle();
        take();
    }
}

static void begin(uint32_t id, unsigned interrupts)
{
    info = (struct process_info){.tsc_khz = TSC_KHZ,
                                 .window_count = 1,
                                 .interrupt_count = interrupts,
                                 .channel_count = 1,
                                 .dma_size = DMA_SIZE,
                                 .dma_physical = DMA_PHYSICAL,
                                 .pci_id = id,
                                 .windows = {{0x20000}},
                                 .channels = {{.kind = PLAN_CHANNEL_NET, .server = 1}}};
    memset(dma, 0xa5, DMA_SIZE);
    memset((void *)PROCESS_CHANNEL, 0, NET_CHANNEL_SIZE);
    sent.count = got.count = 0;
    timer = UINT64_MAX;
    held = false;
    said[0] = '\0';
    net_open(&client, (void *)PROCESS_CHANNEL, 0, false);
    net_flush(&client);
}

/* A card that runs, and whose client knows that. */
static void run(uint32_t id, unsigned interrupts)
{
    e1000_new(id == 0x10d38086);
    begin(id, interrupts);
    e1000_start(&info);
    exchange();
    assert_true(client.met && client.link);
    assert_true(client.other_takes & NET_TAKES_TCP4);
}

static void make(uint8_t *frame, uint32_t size, uint32_t number)
{
    for (uint32_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
}

/* Sends a frame whose entry is complete but for its place. */
static bool send(const uint8_t *frame, struct net_entry *e)
{
    uint8_t *place = net_place(&client, e->size);

    if (place == NULL)
        return false;
    memcpy(place, frame, e->size);
    net_put(&client, e);
    net_flush(&client);
    return true;
}

static void both_ways(uint32_t id, unsigned interrupts)
{
    uint8_t frame[NET_FRAME_MTU];

    run(id, interrupts);
    for (uint32_t size = NET_FRAME_MIN; size <= NET_FRAME_MTU; size++) {
        struct net_entry e = {.size = size};
        make(frame, size, size);
        sent.count = got.count = 0;
        assert_true(e1000_receive(frame, size, 2, 0));
        assert_true(send(frame, &e));
        exchange();
        assert_int_equal(sent.count, 1);
        assert_int_equal(sent.size[0], max_u64(size, 17));
        assert_memory_equal(sent.data[0], frame, size);
        assert_int_equal(got.count, 1);
        assert_int_equal(got.size[0], size);
        assert_memory_equal(got.data[0], frame, size);
    }
    assert_int_equal(e1000_resets, 1);
}

static void all_lengths(void **state)
{
    both_ways(0x100e8086, 1);
    both_ways(0x10d38086, 1);
    both_ways(0x100e8086, 0);
}

/* MSI-X: causes that are read stay until they are written. */
static void message_interrupts(void **state)
{
    uint8_t frame[64] = {0};

    run(0x10d38086, 1);
    e1000_device.msix = true;
    for (unsigned i = 0; i < 300; i++) {
        got.count = 0;
        assert_true(e1000_receive(frame, sizeof(frame), 2, 0));
        exchange();
        assert_int_equal(got.count, 1);
        assert_false(e1000_interrupts());
    }
    e1000_set_link(false);
    exchange();
    assert_false(client.link);
}

static uint32_t summed(const uint8_t *at, uint32_t size, uint32_t sum)
{
    for (uint32_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* A TCP segment to be cut, with a pseudo-header's sum that has its length, as in virtio. */
static uint32_t make_segment(uint8_t *frame, struct net_entry *e, bool v6, uint32_t payload,
                             uint16_t mss)
{
    uint32_t tcp = v6 ? 54 : 34, size = tcp + 20 + payload;

    make(frame, size, payload);
    frame[12] = v6 ? 0x86 : 0x08;
    frame[13] = v6 ? 0xdd : 0;
    frame[14] = v6 ? 0x60 : 0x45;
    if (!v6)
        frame[23] = 6; /* TCP */
    frame[tcp + 12] = 0x50;
    frame[tcp + 13] = 0x19;
    *e = (struct net_entry){.flags = NET_NEEDS_CHECKSUM,
                            .size = size,
                            .gso = v6 ? NET_GSO_TCP6 : NET_GSO_TCP4,
                            .header_size = (uint16_t)(tcp + 20),
                            .segment_size = mss,
                            .checksum_start = (uint16_t)tcp,
                            .checksum_offset = 16};
    return tcp;
}

static void check_segments(const uint8_t *frame, const struct net_entry *e, bool v6)
{
    uint32_t tcp = e->checksum_start, header = tcp + 20, done = 0;

    for (unsigned i = 0; i < sent.count; i++) {
        const uint8_t *at = sent.data[i];
        uint32_t some = sent.size[i] - header;
        assert_memory_equal(at, frame, 16);
        assert_memory_equal(at + header, frame + header + done, some);
        done += some;
        assert_true(some == e->segment_size || done == e->size - header);
        if (!v6)
            assert_int_equal(summed(at + 14, 20, 0), 0xffff);
        assert_int_equal(
            summed(at + tcp, sent.size[i] - tcp,
                   summed(at + tcp - (v6 ? 32 : 8), v6 ? 32 : 8, 6 + sent.size[i] - tcp)),
            0xffff);
    }
    assert_int_equal(done, e->size - header);
}

static void segments(void **state)
{
    static uint8_t frame[NET_FRAME_MAX];
    static const struct {
        uint32_t payload;
        uint16_t mss;
    } rows[] = {{1, 1440}, {1440, 1440}, {1441, 1440}, {65000, 1440}, {30000, 88}, {3000, 8}};

    run(0x10d38086, 1);
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
        struct net_entry e;
        make_segment(frame, &e, i % 2, rows[i / 2].payload, rows[i / 2].mss);
        sent.count = 0;
        assert_true(send(frame, &e));
        exchange();
        check_segments(frame, &e, i % 2);
    }
}

/* Entries that are frames, and that no card can finish, with headers of chance's. */
static void unfit(void **state)
{
    static uint8_t frame[NET_FRAME_MAX];

    run(0x10d38086, 1);
    for (unsigned i = 0; i < 20000; i++) {
        struct net_entry e;
        uint32_t at = make_segment(frame, &e, chance(2), chance(i % 16 == 0 ? 60000 : 3000),
                                   (uint16_t)chance(3000));
        uint16_t *fields[] = {&e.checksum_start, &e.checksum_offset, &e.segment_size};
        if (chance(2) == 0)
            *fields[chance(3)] = (uint16_t)(chance(2) ? chance(300) : chance(0x10000));
        if (chance(2) == 0)
            frame[chance(2) ? 12 + chance(4) : at + 12] = (uint8_t)chance(256);
        if (chance(8) == 0)
            e.gso = NET_GSO_NONE;
        if (chance(8) == 0)
            e.size = NET_FRAME_MIN + chance(200);
        if (net_is_frame(&e, client.other_takes) && e.segment_size >= 200)
            send(frame, &e);
        exchange();
        sent.count = 0;
    }
    struct net_entry e = {.size = 100};
    assert_true(send(frame, &e));
    exchange();
    assert_int_equal(sent.count, 1);
    assert_int_equal(e1000_resets, 1);
}

/* What the card writes is chance's: the client gets frames, or nothing. */
static void lies(void **state)
{
    uint8_t frame[NET_FRAME_MTU];
    struct net_entry e = {.size = sizeof(frame)};

    run(0x100e8086, 1);
    e1000_device.lies = true;
    make(frame, sizeof(frame), 1);
    for (unsigned i = 0; i < 20000; i++) {
        e1000_receive(frame, sizeof(frame), 2, 0);
        if (chance(4) == 0)
            reach(DMA_PHYSICAL + 4096 + chance(256) * 16 + 12, 1)[0] = (uint8_t)chance(256);
        send(frame, &e);
        if (chance(4) == 0)
            exchange();
        for (unsigned k = 0; k < got.count; k++)
            assert_true(got.size[k] >= NET_FRAME_MIN && got.size[k] <= NET_FRAME_MTU);
        got.count = sent.count = 0;
    }
}

/* Frames that the card says are bad are dropped, and those of its checks that are good are said. */
static void marks(void **state)
{
    uint8_t frame[100] = {0};
    struct net_entry e;

    run(0x100e8086, 1);
    for (unsigned errors = 0; errors < 256; errors++) {
        assert_true(e1000_receive(frame, sizeof(frame), 0x22, (uint8_t)errors));
        settle();
        assert_int_equal(net_next(&client, &e) != NULL, (errors & 0x97) == 0);
        if ((errors & 0x97) == 0) {
            assert_int_equal(e.flags, errors & 0x60 ? 0 : NET_CHECKSUM_GOOD);
            net_take(&client);
        }
        net_flush(&client);
    }
    assert_true(e1000_receive(frame, sizeof(frame), 0, 0)); /* a frame's first part */
    assert_true(e1000_receive(frame, sizeof(frame), 0x26, 0));
    settle();
    assert_non_null(net_next(&client, &e));
    assert_int_equal(e.flags, 0);
    net_take(&client);
    assert_null(net_next(&client, &e));
}

/* A client that takes nothing: the card's ring is full, what is sent is sent, and then all that was
 * not dropped arrives. */
static void full(void **state)
{
    uint8_t frame[1000];
    unsigned received = 0;

    run(0x100e8086, 1);
    while (received < MOST - 1) {
        make(frame, sizeof(frame), received);
        if (!e1000_receive(frame, sizeof(frame), 2, 0))
            break;
        received++;
        settle();
    }
    assert_true(received > 255 && received < MOST - 1);
    struct net_entry e = {.size = sizeof(frame)};
    assert_true(send(frame, &e));
    settle();
    assert_int_equal(sent.count, 1);
    for (unsigned i = 0; i < 20; i++)
        exchange();
    assert_int_equal(got.count, received);
    for (unsigned i = 0; i < received; i++) {
        make(frame, sizeof(frame), i);
        assert_memory_equal(got.data[i], frame, sizeof(frame));
    }
    assert_true(e1000_receive(frame, sizeof(frame), 2, 0));
}

/* More than the card's ring holds: the driver waits for the card, and is no busy loop meanwhile. */
static void slow_card(void **state)
{
    static uint8_t frame[NET_FRAME_MAX];
    unsigned pieces = 0;

    run(0x100e8086, 1);
    e1000_device.stalls = true;
    for (unsigned i = 0; i < 12; i++) {
        struct net_entry e;
        make_segment(frame, &e, false, 40000, 1460);
        if (i % 6 == 0)
            e1000_turn();
        assert_true(send(frame, &e));
        pieces += (40000 + 1459) / 1460;
    }
    assert_int_equal(sent.count, 0);
    e1000_device.stalls = false;
    for (unsigned i = 0; i < 10; i++)
        exchange();
    assert_int_equal(sent.count, pieces);
    assert_int_equal(e1000_resets, 1);
}

/* Nothing is sent for two seconds: it is reset, says so, and goes on. */
static void stall(void **state)
{
    uint8_t frame[100] = {0};
    struct net_entry e = {.size = sizeof(frame)};

    for (unsigned interrupts = 0; interrupts < 2; interrupts++) {
        run(0x100e8086, interrupts);
        e1000_device.stalls = true;
        assert_true(send(frame, &e));
        uint64_t start = now;
        while (e1000_resets == 1) {
            assert_true(now - start < 4000ULL * TSC_KHZ);
            e1000_turn();
        }
        assert_true(now - start > 1500ULL * TSC_KHZ);
        assert_non_null(strstr(said, "nothing has been sent for 2 s, it is reset; frames: "));
        e1000_device.stalls = false;
        exchange();
        assert_true(client.link);
        assert_int_equal(sent.count, 0);
        assert_true(send(frame, &e));
        assert_true(e1000_receive(frame, sizeof(frame), 2, 0));
        exchange();
        assert_int_equal(sent.count, 1);
        assert_int_equal(got.count, 1);
        assert_int_equal(e1000_resets, 2);
    }
}

/* It stalls, and does not start again: its network's link goes down, and frames are dropped. */
static void stall_for_good(void **state)
{
    uint8_t frame[100] = {0};
    struct net_entry e = {.size = sizeof(frame)};

    run(0x100e8086, 1);
    e1000_device.stalls = e1000_device.never_resets = true;
    assert_true(send(frame, &e));
    for (uint64_t start = now; strstr(said, "the link is down; frames: ") == NULL;) {
        assert_true(now - start < 4000ULL * TSC_KHZ);
        e1000_turn();
    }
    assert_non_null(strstr(said_before, "the 82540EM does not end its reset (CTRL "));
    for (unsigned i = 0; i < 200; i++) {
        exchange();
        assert_true(send(frame, &e));
    }
    assert_false(client.link);
    assert_int_equal(sent.count, 0);
}

static void link_changes(void **state)
{
    uint8_t frame[100] = {0};
    struct net_entry e = {.size = sizeof(frame)};

    for (unsigned interrupts = 0; interrupts < 2; interrupts++) {
        run(0x100e8086, interrupts);
        e1000_set_link(false);
        exchange();
        assert_false(client.link);
        assert_non_null(strstr(said, "the link is down"));
        assert_true(send(frame, &e)); /* dropped */
        exchange();
        e1000_set_link(true);
        exchange();
        assert_true(client.link);
        assert_int_equal(sent.count, 0);
        assert_true(send(frame, &e));
        exchange();
        assert_int_equal(sent.count, 1);
        assert_non_null(strstr(said, "1 dropped"));
    }
}

/* The process is started again at any time, with frames under way. */
static void again(void **state)
{
    uint8_t frame[200] = {0};
    struct net_entry e = {.size = sizeof(frame)};

    run(0x10d38086, 1);
    for (unsigned i = 0; i < 300; i++) {
        for (unsigned k = chance(20); k > 0; k--) {
            e1000_receive(frame, sizeof(frame), 2, 0);
            send(frame, &e);
        }
        for (unsigned k = chance(4); k > 0; k--)
            e1000_turn();
        info.starts++;
        timer = UINT64_MAX;
        e1000_start(&info);
        exchange();
        assert_true(client.link);
        sent.count = got.count = 0;
        assert_true(e1000_receive(frame, sizeof(frame), 2, 0));
        assert_true(send(frame, &e));
        exchange();
        assert_int_equal(sent.count, 1);
        assert_int_equal(got.count, 1);
        sent.count = got.count = 0;
    }
}

/* A card that is none, is of another kind, or never starts: a network whose link is down. */
static void no_card(void **state)
{
    static const struct {
        uint32_t id;
        bool gone, never_resets;
        const char *words;
    } rows[] = {{0x100e8086, true, false, "does not end its reset"},
                {0x100e8086, false, true, "does not end its reset"},
                {0x10008086, false, false, "PCI device 8086:1000 is no card"},
                {0x100e1af4, false, false, "PCI device 1af4:100e is no card"},
                {0, false, false, "it has no card"}};
    uint8_t frame[100] = {0};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct net_entry e = {.size = sizeof(frame)};
        e1000_new(false);
        e1000_device.gone = rows[i].gone;
        e1000_device.never_resets = rows[i].never_resets;
        begin(rows[i].id, 1);
        e1000_start(&info);
        assert_non_null(strstr(said, rows[i].words));
        for (unsigned k = 0; k < 200; k++) {
            assert_true(send(frame, &e));
            exchange();
        }
        assert_true(client.met);
        assert_false(client.link);
        assert_int_equal(sent.count, 0);
    }
    begin(0x100e8086, 1);
    info.dma_size -= 4096;
    e1000_start(&info);
    assert_non_null(strstr(said, "too small a DMA area"));
    begin(0x100e8086, 1);
    info.window_count = 0;
    e1000_start(&info);
    assert_non_null(strstr(said, "has no registers in memory"));
}

static void *map(uint64_t at, size_t size)
{
    void *mapped = mmap((void *)at, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    return mapped == (void *)at ? mapped : NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lengths),    cmocka_unit_test(message_interrupts),
        cmocka_unit_test(segments),       cmocka_unit_test(unfit),
        cmocka_unit_test(lies),           cmocka_unit_test(marks),
        cmocka_unit_test(full),           cmocka_unit_test(slow_card),
        cmocka_unit_test(stall),          cmocka_unit_test(link_changes),
        cmocka_unit_test(stall_for_good), cmocka_unit_test(again),
        cmocka_unit_test(no_card),
    };

    dma = map(PROCESS_DMA, DMA_SIZE);
    if (dma == NULL || map(PROCESS_CHANNEL, NET_CHANNEL_SIZE) == NULL)
        return 2;
    return cmocka_run_group_tests_name("e1000", tests, NULL, NULL);
}
