/* SPDX-License-Identifier: BSD-2-Clause */
/* The server of a disk, with a disk that obeys the test: every request that is no good, hostile
 * clients beside others, errors, time-outs, and a start after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/serve.h"
#include "fake_disk.h"
#include "machine.h"
#include "table.h"

#define BOUNCE(page) (BLOCK_SEGMENT_BOUNCE | (page) * 4096ULL)

/* Client 0 has sectors 100 to 299, client 1 has 300 to 399. Client 2 has the whole disk. */
#define FIRST(n)   ((n) == 0 ? 100u : 300u)
#define SECTORS(n) ((n) == 0 ? 200u : 100u)

static void set_up_disk(void)
{
    machine_new();
    fake_new();
    for (unsigned i = 0; i < sizeof(fake.data); i++)
        fake.data[i] = (uint8_t)(i / BLOCK_SECTOR * 7 + i);
    table_make(fake.data, FAKE_SECTORS);
    table_add(fake.data, FAKE_SECTORS, 0, FIRST(0), FIRST(0) + SECTORS(0) - 1, "lintel-0");
    table_add(fake.data, FAKE_SECTORS, 1, FIRST(1), FIRST(1) + SECTORS(1) - 1, "lintel-1");
    table_add(fake.data, FAKE_SECTORS, 2, 400, 449, "other");
    table_seal(fake.data, FAKE_SECTORS);
    process.channels[2].label[0] = '\0';
    process.channels[2].read_only = 1;
}

static void start(void)
{
    serve_start(&process);
    machine_run();
    for (unsigned n = 0; n < CHANNELS; n++)
        client_open(n);
    fake.count = 0;
}

static int set_up(void **state)
{
    set_up_disk();
    start();
    return 0;
}

static const uint8_t *sector_of(unsigned n, uint64_t sector)
{
    return fake.data + (FIRST(n) + sector) * BLOCK_SECTOR;
}

static struct block_answer info_of(unsigned n)
{
    struct block_answer answer;

    assert_true(client_send(n, request_of(BLOCK_INFO, 9, 0, 0), NULL));
    machine_run();
    assert_true(client_receive(n, &answer));
    assert_int_equal(answer.id, 9);
    return answer;
}

static void assert_no_answer(unsigned n)
{
    struct block_answer answer;

    machine_run();
    assert_false(client_receive(n, &answer));
}

static void test_info(void **state)
{
    struct block_answer answer = info_of(0);

    assert_int_equal(answer.status, BLOCK_DONE);
    assert_int_equal(answer.value, SECTORS(0));
    assert_int_equal(answer.flags, BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO);
    answer = info_of(2);
    assert_int_equal(answer.value, FAKE_SECTORS);
    assert_int_equal(answer.flags, 0);
    assert_string_equal(logged, "");
    assert_true(notified[0] >= 1 && notified[1] >= 1 && notified[2] >= 1);
    assert_int_equal(area_of(0)->epoch, 1);
}

static void test_read_and_write(void **state)
{
    uint8_t before, after;

    assert_int_equal(client_move(0, BLOCK_READ, 5, 8, 0x1000), BLOCK_DONE);
    assert_memory_equal(machine_guest(0, 0x1000), sector_of(0, 5), 8 * BLOCK_SECTOR);
    assert_int_equal(fake.count, 1);
    assert_int_equal(fake.log[0].run_count, 1);
    assert_int_equal(fake.log[0].runs[0].physical, GUEST_PHYSICAL(0) + 0x1000);
    memset(machine_guest(1, GUEST_HIGH_AT), 0xa5, BLOCK_SECTOR);
    assert_int_equal(client_move(1, BLOCK_WRITE, 99, 1, GUEST_HIGH_AT), BLOCK_DONE);
    assert_memory_equal(machine_guest(1, GUEST_HIGH_AT), sector_of(1, 99), BLOCK_SECTOR);
    assert_int_equal(client_move(0, BLOCK_READ, 199, 1, BOUNCE(63) + 0xe00), BLOCK_DONE);
    assert_memory_equal(area_of(0)->page[63] + 0xe00, sector_of(0, 199), BLOCK_SECTOR);
    assert_int_equal(client_ask(0, request_of(BLOCK_FLUSH, 3, 77, 0), NULL), BLOCK_DONE);
    assert_int_equal(fake.log[fake.count - 1].op, BLOCK_FLUSH);
    before = sector_of(0, 9)[511];
    after = sector_of(0, 50)[0];
    assert_int_equal(client_ask(0, request_of(BLOCK_ZERO, 3, 10, 40), NULL), BLOCK_DONE);
    assert_true(sector_of(0, 9)[511] == before && sector_of(0, 50)[0] == after && before && after);
    for (unsigned i = 0; i < 40 * BLOCK_SECTOR; i++)
        assert_int_equal(sector_of(0, 10)[i], 0);
    assert_int_equal(client_ask(0, request_of(BLOCK_DISCARD, 3, 0, 200), NULL), BLOCK_DONE);
    assert_true(interrupts_done > 0);
}

/* A segment over two extents and more sectors than a command takes; many segments. */
static void test_cut(void **state)
{
    struct block_request request = request_of(BLOCK_READ, 63, 0, 124);
    uint64_t segments[BLOCK_SEGMENTS];
    struct block_answer answer;

    assert_int_equal(client_move(0, BLOCK_READ, 20, 40, GUEST_LOW - 0x2000), BLOCK_DONE);
    assert_memory_equal(machine_guest(0, GUEST_LOW - 0x2000), sector_of(0, 20), 40 * BLOCK_SECTOR);
    assert_int_equal(fake.count, 3);
    assert_int_equal(fake.log[0].run_count, 1);
    assert_int_equal(fake.log[1].runs[0].physical, GUEST_PHYSICAL(0) + 0x100000);
    fake.count = 0;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 12, GUEST_LOW - 0x1000), BLOCK_DONE);
    assert_int_equal(fake.count, 1);
    assert_int_equal(fake.log[0].run_count, 2);

    fake.count = 0;
    request.segment_count = BLOCK_SEGMENTS;
    for (unsigned i = 0; i < BLOCK_SEGMENTS; i++)
        segments[i] = BLOCK_SEGMENT((BLOCK_SEGMENTS - 1 - i) * 0x400, i < 4 ? 1 : 2);
    fake.holds = true;
    assert_true(client_send(0, request, segments));
    for (machine_run(); fake_under_way() > 0; machine_run()) { /* the last one first */
        unsigned tag = fake.is.depth - 1;

        assert_false(client_receive(0, &answer));
        while (!fake.under_way[tag])
            tag--;
        fake_end(tag);
    }
    assert_true(client_receive(0, &answer));
    assert_int_equal(answer.status, BLOCK_DONE);
    assert_true(fake.count >= 124 / 16);
    assert_memory_equal(machine_guest(0, 63 * 0x400), sector_of(0, 0), BLOCK_SECTOR);
    assert_memory_equal(machine_guest(0, 0), sector_of(0, 122), 2 * BLOCK_SECTOR);
}

static void test_malformed(void **state)
{
    const struct {
        struct block_request request;
        uint64_t segment;
    } rows[] = {
        {{.op = BLOCK_OP_COUNT}, 0},
        {{.op = 255}, 0},
        {{.op = BLOCK_INFO, .segment_count = 1}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_FLUSH, .segment_count = 1}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_DISCARD, .sectors = 1, .segment_count = 1}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1, .reserved = 1}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 65, .segment_count = 65}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 255}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 1}, 0},
        {{.op = BLOCK_READ, .segment_count = 1}, BLOCK_SEGMENT(0, 0)},
        {{.op = BLOCK_READ, .sectors = 0, .segment_count = 1}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 2, .segment_count = 1}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1}, BLOCK_SEGMENT(0, 2)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1, .sector = 200}, BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 2, .segment_count = 1, .sector = 199}, BLOCK_SEGMENT(0, 2)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1, .sector = UINT64_MAX},
         BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1, .sector = UINT64_MAX - 99},
         BLOCK_SEGMENT(0, 1)},
        {{.op = BLOCK_ZERO, .sectors = UINT32_MAX}, 0},
        {{.op = BLOCK_DISCARD, .sectors = 0}, 0},
        {{.op = BLOCK_ZERO, .sectors = 1, .sector = 200}, 0},
        /* memory that is not the client's */
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1},
         BLOCK_SEGMENT(GUEST_LOW + GUEST_MIDDLE, 1)},
        {{.op = BLOCK_READ, .sectors = 2, .segment_count = 1},
         BLOCK_SEGMENT(GUEST_LOW + GUEST_MIDDLE - 512, 2)},
        {{.op = BLOCK_WRITE, .sectors = 1, .segment_count = 1},
         BLOCK_SEGMENT(GUEST_HIGH_AT - 512, 1)},
        {{.op = BLOCK_WRITE, .sectors = 65, .segment_count = 1}, BLOCK_SEGMENT(GUEST_HIGH_AT, 65)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1}, BLOCK_SEGMENT(1ULL << 55, 1)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1}, ~BLOCK_SEGMENT_BOUNCE & ~0xfffeULL},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1},
         BLOCK_SEGMENT_BOUNCE | BLOCK_SEGMENT(BLOCK_PAGES * 4096, 1)},
        {{.op = BLOCK_READ, .sectors = 2, .segment_count = 1},
         BLOCK_SEGMENT_BOUNCE | BLOCK_SEGMENT(BLOCK_PAGES * 4096 - 512, 2)},
        {{.op = BLOCK_READ, .sectors = 1, .segment_count = 1}, ~0xfffeULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct block_request request = rows[i].request;
        uint64_t segments[BLOCK_SEGMENTS] = {rows[i].segment};

        request.id = (uint32_t)i;
        request.epoch = process.starts;
        for (unsigned s = 1; s < BLOCK_SEGMENTS; s++)
            segments[s] = BLOCK_SEGMENT(0, 1);
        fake.count = 0;
        assert_int_equal(client_ask(0, request, segments), BLOCK_INVALID);
        /* four commands, of which the fifth would begin behind the client's memory */
        assert_int_equal(fake.count, request.sectors == 65 && request.segment_count == 1 ? 4 : 0);
    }
    assert_string_equal(logged, "");
}

static void test_ids(void **state)
{
    struct block_request request = request_of(BLOCK_READ, 7, 0, 1);
    uint64_t segment = BLOCK_SEGMENT(0, 1);
    struct block_answer answer;

    request.segment_count = 1;
    request.id = BLOCK_IDS;
    assert_int_equal(client_ask(0, request, &segment), BLOCK_INVALID);
    request.id = UINT32_MAX;
    assert_int_equal(client_ask(0, request, &segment), BLOCK_INVALID);
    assert_int_equal(fake.count, 0);
    request.id = 7;
    fake.holds = true;
    assert_true(client_send(0, request, &segment));
    assert_no_answer(0);
    assert_int_equal(client_ask(0, request, &segment), BLOCK_INVALID); /* under way */
    fake_end(0);
    machine_run();
    assert_true(client_receive(0, &answer));
    assert_int_equal(answer.status, BLOCK_DONE);
    assert_int_equal(fake.count, 1);
}

static void test_read_only(void **state)
{
    static const enum block_op writes[] = {BLOCK_WRITE, BLOCK_ZERO, BLOCK_DISCARD};
    struct block_request request;
    uint64_t segment = BLOCK_SEGMENT(0, 1);

    for (unsigned i = 0; i < 3; i++) {
        request = request_of(writes[i], 1, 0, 1);
        request.segment_count = writes[i] == BLOCK_WRITE;
        assert_int_equal(client_ask(2, request, &segment), BLOCK_REFUSED);
    }
    assert_int_equal(fake.count, 0);
    assert_int_equal(client_move(2, BLOCK_READ, 100, 1, 0), BLOCK_DONE);
    assert_memory_equal(machine_guest(2, 0), sector_of(0, 0), BLOCK_SECTOR);
}

/* What the channel asks for, and what it gets, with the reason. */
static void test_shares(void **state)
{
    set_up_disk();
    strcpy(process.channels[0].label, "other");
    strcpy(process.channels[1].label, "lintel-9");
    process.channels[2].read_only = 0;
    start();
    assert_int_equal(info_of(0).status, BLOCK_DONE);
    assert_int_equal(info_of(0).flags, 0);
    assert_true(has_logged("vm0 may only read other: only partitions with a label"));
    assert_int_equal(client_move(0, BLOCK_WRITE, 0, 1, 0), BLOCK_REFUSED);
    assert_int_equal(info_of(1).status, BLOCK_NO_DEVICE);
    assert_int_equal(client_move(1, BLOCK_READ, 0, 1, 0), BLOCK_NO_DEVICE);
    assert_true(has_logged("vm1 does not get lintel-9: no partition has this label"));
    assert_int_equal(info_of(2).flags, 0);
    assert_true(has_logged("vm2 may only read the whole disk: a whole disk is never written"));

    set_up_disk(); /* a disk that cannot be written */
    fake.is.flags = 0;
    start();
    assert_int_equal(info_of(0).flags, 0);
    assert_true(has_logged("vm0 may only read lintel-0: the disk cannot be written"));

    set_up_disk(); /* a RAM disk may be written as a whole */
    fake.is.memory = true;
    process.channels[2].read_only = 0;
    start();
    assert_true(info_of(2).flags & BLOCK_CAN_WRITE);

    set_up_disk(); /* a channel of another kind, and one of which this process is the client */
    process.channels[0].kind = PLAN_CHANNEL_CONSOLE;
    process.channels[1].server = 0;
    start();
    assert_int_equal(notified[0] + notified[1], 0);
    assert_int_equal(area_of(0)->epoch + area_of(1)->epoch, 0);
    assert_int_equal(info_of(2).status, BLOCK_DONE);
}

static void test_no_table(void **state)
{
    set_up_disk();
    fake.data[512 + 60]++;
    start();
    assert_true(has_logged("checksum is wrong; the copy at the disk's end is used"));
    assert_int_equal(info_of(0).flags, 0);
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_DONE);
    assert_int_equal(client_move(0, BLOCK_WRITE, 0, 1, 0), BLOCK_REFUSED);

    set_up_disk();
    fake.data[510] = 0;
    start();
    assert_int_equal(lines_logged("partition table: there is none"), 1);
    assert_true(has_logged("vm0 does not get lintel-0: "));
    assert_int_equal(info_of(0).status, BLOCK_NO_DEVICE);
    assert_int_equal(info_of(2).status, BLOCK_DONE);

    set_up_disk(); /* nobody wants to know */
    fake.data[510] = 0;
    process.channels[0].label[0] = process.channels[1].label[0] = '\0';
    process.dma_size = 0;
    start();
    assert_int_equal(info_of(0).status, BLOCK_DONE);
    assert_false(has_logged("table"));

    set_up_disk();
    process.dma_size = 0;
    start();
    assert_true(has_logged("there is no DMA area"));

    set_up_disk(); /* the table's sector is bad */
    fake.bad_sector = 0;
    start();
    assert_true(has_logged("its first sector cannot be read"));
    assert_int_equal(info_of(1).status, BLOCK_NO_DEVICE);

    set_up_disk(); /* a disk that never answers */
    fake.holds = true;
    time_passes = true;
    start();
    assert_int_equal(fake.resets, 1);
    assert_int_equal(info_of(0).status, BLOCK_NO_DEVICE);
}

static void test_no_disk(void **state)
{
    set_up_disk();
    fake.absent = true;
    start();
    assert_int_equal(info_of(0).status, BLOCK_NO_DEVICE);
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_NO_DEVICE);
    assert_int_equal(client_ask(1, request_of(BLOCK_FLUSH, 0, 0, 0), NULL), BLOCK_NO_DEVICE);
    assert_int_equal(fake.count, 0);
}

/* Memory that the device does not reach goes through bounce pages alone. */
static void test_bounce(void **state)
{
    set_up_disk();
    fake.is.last_physical = GUEST_PHYSICAL(1) - 1;
    start();
    assert_false(info_of(0).flags & BLOCK_NEEDS_BOUNCE);
    assert_true(info_of(1).flags & BLOCK_NEEDS_BOUNCE);
    assert_int_equal(client_move(1, BLOCK_READ, 0, 1, 0), BLOCK_INVALID);
    assert_int_equal(client_move(1, BLOCK_READ, 0, 1, BOUNCE(0)), BLOCK_DONE);
    assert_memory_equal(area_of(1)->page[0], sector_of(1, 0), BLOCK_SECTOR);

    set_up_disk();
    fake.is.last_physical = CHANNEL_PHYSICAL(1) - 1;
    start();
    assert_int_equal(info_of(0).status, BLOCK_DONE);
    assert_int_equal(info_of(1).status, BLOCK_NO_DEVICE);
    assert_true(has_logged("vm1 does not get lintel-1: its channel is beyond"));
}

static void test_errors(void **state)
{
    fake.bad_sector = FIRST(0) + 17;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 16, 0), BLOCK_DONE);
    assert_int_equal(client_move(0, BLOCK_READ, 0, 64, 0), BLOCK_ERROR); /* in its second part */
    assert_int_equal(lines_logged("the disk failed: read at sector 116"), 1);
    assert_int_equal(client_move(1, BLOCK_READ, 0, 16, 0), BLOCK_DONE);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(client_move(0, BLOCK_WRITE, 17, 1, 0), BLOCK_ERROR);
    assert_true(lines_logged("the disk failed") <= 9);
    fake.bad_sector = UINT64_MAX;
    fake.refuses = true;
    fake.count = 0;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 64, 0), BLOCK_ERROR);
    assert_int_equal(fake.count, 1); /* of a request that failed the rest is not tried */
    fake.refuses = false;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 64, 0), BLOCK_DONE);
}

static void test_time_out(void **state)
{
    struct block_request request = request_of(BLOCK_READ, 1, 0, 1);
    uint64_t segment = BLOCK_SEGMENT(0, 1), began;
    struct block_answer answer;

    request.segment_count = 1;
    fake.holds = true;
    assert_true(client_send(0, request, &segment));
    assert_true(client_send(1, request, &segment));
    assert_no_answer(0);
    began = now;
    time_passes = true;
    machine_run();
    assert_in_range(now - began, 29 * 1000 * 1000, 32 * 1000 * 1000);
    assert_int_equal(fake.resets, 1);
    assert_true(has_logged("has not answered for 30 s"));
    for (unsigned n = 0; n < 2; n++) {
        assert_true(client_receive(n, &answer));
        assert_int_equal(answer.status, BLOCK_ERROR);
    }
    fake.holds = false; /* and it works again */
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_DONE);
    /* An interrupt that does not come costs a second. */
    fake.silent = true;
    began = now;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_DONE);
    assert_in_range(now - began, 1, 2 * 1000 * 1000);
    assert_int_equal(fake.resets, 1);
}

/* Without an interrupt the disk is looked at each millisecond, and is as late as with one. */
static void test_polls(void **state)
{
    uint64_t began;

    set_up_disk();
    process.interrupt_count = 0;
    fake.silent = true;
    time_passes = true;
    start();
    began = now;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_DONE);
    assert_in_range(now - began, 1, 5 * 1000);
    fake.holds = true;
    began = now;
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_ERROR);
    assert_in_range(now - began, 29 * 1000 * 1000, 32 * 1000 * 1000);
    assert_int_equal(fake.resets, 1);
}

/* A client fills the ring and the disk; another one's request is the next that the disk gets. */
static void test_turns(void **state)
{
    struct block_request request = request_of(BLOCK_READ, 0, 0, 128);
    uint64_t segment = BLOCK_SEGMENT(0, 128);
    struct block_answer answer;
    unsigned others = 0;

    fake.holds = true;
    request.segment_count = 1;
    for (request.id = 0; request.id < BLOCK_IDS; request.id++)
        assert_true(client_send(0, request, &segment));
    machine_run();
    assert_int_equal(fake_under_way(), fake.is.depth);
    request = request_of(BLOCK_READ, 5, 0, 16);
    request.segment_count = 1;
    segment = BLOCK_SEGMENT(0, 16);
    assert_true(client_send(1, request, &segment));
    assert_no_answer(1);
    for (unsigned ends = 0; ends < 3 && others == 0; ends++) {
        fake_end(0);
        machine_run();
        others = fake.under_way[0] && fake.command[0].sector >= FIRST(1);
    }
    assert_int_equal(others, 1);
    fake_end(0);
    machine_run();
    assert_true(client_receive(1, &answer));
    assert_int_equal(answer.status, BLOCK_DONE);
}

/* A client that takes no answers gets them later; the others do not notice. */
static void test_full_ring(void **state)
{
    unsigned sent = 0, answers = 0;
    struct block_answer answer;
    bool seen[BLOCK_IDS] = {false};

    for (unsigned round = 0; round < 4; round++) {
        for (uint32_t id = 0; id < BLOCK_IDS; id++)
            sent += client_send(0, request_of(BLOCK_FLUSH, id, 0, 0), NULL);
        machine_run();
        assert_int_equal(client_move(1, BLOCK_READ, 0, 1, 0), BLOCK_DONE);
    }
    assert_true(sent > 2 * BLOCK_IDS);
    for (;;) {
        machine_run();
        if (!client_receive(0, &answer))
            break;
        answers++;
        assert_true(answer.id < BLOCK_IDS);
        seen[answer.id] |= answer.status == BLOCK_DONE;
    }
    assert_true(answers >= 2 * BLOCK_IDS);
    for (uint32_t id = 0; id < BLOCK_IDS; id++)
        assert_true(seen[id]);
    assert_int_equal(client_move(0, BLOCK_READ, 0, 1, 0), BLOCK_DONE);
}

/* Chance writes over all that a client can write; the other one's data stays right. */
static void test_hostile(void **state)
{
    uint8_t *pages = (uint8_t *)PROCESS_CHANNEL + PROCESS_CHANNEL_STRIDE;
    static uint8_t before[sizeof(fake.data)];
    const uint8_t *mine = before + FIRST(0) * BLOCK_SECTOR;
    struct channel_ring *ring = ((struct channel *)pages)->ring;
    unsigned hurt = 0;

    memcpy(before, fake.data, sizeof(before));
    memset(machine_guest(2, 0), 0x77, GUEST_LOW + GUEST_MIDDLE);
    srand(8);
    for (unsigned round = 0; round < 3000; round++) {
        struct block_request *r =
            (struct block_request *)
                ring->entry[(ring->head + (uint32_t)rand() % 4) % CHANNEL_ENTRIES];

        fake.count = 0;
        switch (rand() % 4) {
        case 0:
            pages[(unsigned)rand() % 0x100] = (uint8_t)rand();
            break;
        case 1:
            ring->tail = ring->head + (uint32_t)rand() % (CHANNEL_ENTRIES + 2);
            break;
        case 2:
            r->id = (uint32_t)rand() % 66;
            r->epoch = rand() % 4 > 0;
            r->op = (uint8_t)(rand() % (BLOCK_OP_COUNT + 1));
            r->segment_count = (uint8_t)(rand() % 3);
            r->reserved = 0;
            r->sectors = (uint32_t)rand() % 6;
            r->sector = (uint64_t)rand() % 110;
            break;
        default:
            area_of(1)->segment[rand() % 64][rand() % 4] =
                BLOCK_SEGMENT((uint64_t)rand() % 0x20000, rand() % 6) |
                (rand() % 4 ? 0 : BLOCK_SEGMENT_BOUNCE);
        }
        machine_raise(EVENT_CHANNEL(1));
        machine_run();
        if (round % 50 == 0)
            assert_int_equal(client_move(0, BLOCK_READ, round % 200, 1, 0), BLOCK_DONE);
        if (round % 50 == 0)
            assert_memory_equal(machine_guest(0, 0), mine + round % 200 * BLOCK_SECTOR,
                                BLOCK_SECTOR);
    }
    assert_memory_equal(before, fake.data, FIRST(1) * BLOCK_SECTOR);
    assert_memory_equal(before + 400 * BLOCK_SECTOR, fake.data + 400 * BLOCK_SECTOR,
                        sizeof(before) - 400 * BLOCK_SECTOR);
    assert_memory_not_equal(before + FIRST(1) * BLOCK_SECTOR, sector_of(1, 0), 100 * BLOCK_SECTOR);
    for (unsigned i = 0; i < GUEST_LOW + GUEST_MIDDLE; i++)
        hurt += *machine_guest(2, i) != 0x77;
    assert_int_equal(hurt, 0);
}

/* Started again: nothing of before is answered, what is sent with the new epoch is. */
static void test_restart(void **state)
{
    struct block_request request = request_of(BLOCK_READ, 4, 0, 1);
    uint64_t segment = BLOCK_SEGMENT(0, 1);
    struct block_answer answer;
    unsigned before;

    request.segment_count = 1;
    fake.holds = true;
    assert_true(client_send(0, request, &segment));
    machine_run();
    assert_int_equal(fake_under_way(), 1);
    request.id = 5;
    assert_true(client_send(0, request, &segment)); /* it was not taken yet */
    fake.holds = false;
    machine_restart();
    before = notified[0];
    serve_start(&process);
    machine_run();
    assert_int_equal(fake.started, 2);
    assert_true(notified[0] > before);
    assert_int_equal(area_of(0)->epoch, 2);
    assert_false(client_receive(0, &answer));
    request.epoch = 2;
    request.id = 4;
    assert_int_equal(client_ask(0, request, &segment), BLOCK_DONE);
    request.id = 5;
    assert_int_equal(client_ask(0, request, &segment), BLOCK_DONE);
    request.epoch = 1;
    assert_true(client_send(0, request, &segment));
    assert_no_answer(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_info, set_up),
        cmocka_unit_test_setup(test_read_and_write, set_up),
        cmocka_unit_test_setup(test_cut, set_up),
        cmocka_unit_test_setup(test_malformed, set_up),
        cmocka_unit_test_setup(test_ids, set_up),
        cmocka_unit_test_setup(test_read_only, set_up),
        cmocka_unit_test_setup(test_shares, set_up),
        cmocka_unit_test_setup(test_no_table, set_up),
        cmocka_unit_test_setup(test_no_disk, set_up),
        cmocka_unit_test_setup(test_bounce, set_up),
        cmocka_unit_test_setup(test_errors, set_up),
        cmocka_unit_test_setup(test_time_out, set_up),
        cmocka_unit_test(test_polls),
        cmocka_unit_test_setup(test_turns, set_up),
        cmocka_unit_test_setup(test_full_ring, set_up),
        cmocka_unit_test_setup(test_hostile, set_up),
        cmocka_unit_test_setup(test_restart, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
