/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device (virtio 1.2, 5.2), from a driver's ports to a disk's driver at the end of a
 * channel. */
#include <string.h>

#include "tests/native/virtio/driver.h"
#include "tests/native/virtio/server.h"

#define NEXT     1
#define WRITE    2
#define INDIRECT 4

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP, S_NONE = 0xee };

#define F_SEG_MAX      (1u << 2)
#define F_RO           (1u << 5)
#define F_BLK_SIZE     (1u << 6)
#define F_FLUSH        (1u << 9)
#define F_DISCARD      (1u << 13)
#define F_WRITE_ZEROES (1u << 14)

#define HEADER    0x1000
#define STATUS_AT 0x1100
#define TABLE     0x2000
#define DATA      0x40000

static struct board *b;
static struct driver d;

/* While the monitor spins the driver runs. */
static void spin(void)
{
    server_turn(b);
}

static void no_server(void)
{
}

static void begin(uint32_t flags, bool read_only, void (*meanwhile)(void))
{
    server_make(read_only);
    server.flags = flags;
    server_start(NULL);
    b = NULL;
    b = fake_board_with(64 << 20, meanwhile);
    if (b->disks[0].disk.known) {
        driver_find(&d, b, 1);
        driver_start(&d, UINT64_MAX);
    }
}

static int setup(void **state)
{
    begin(BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO, false, spin);
    return 0;
}

static int teardown(void **state)
{
    fakes.spin = no_server;
    fake_board_free(b);
    server_free();
    return 0;
}

static void again(uint32_t flags, bool read_only)
{
    teardown(NULL);
    begin(flags, read_only, spin);
}

static uint8_t *at(uint64_t address)
{
    return driver_memory(&d, address);
}

static void set_header(uint64_t place, uint32_t type, uint64_t sector)
{
    memset(at(place), 0, 16);
    memcpy(at(place), &type, 4);
    memcpy(at(place + 8), &sector, 8);
}

/* Makes a request of three descriptors available. */
static void offer(unsigned slot, uint32_t type, uint64_t sector, uint64_t data, uint32_t size)
{
    unsigned first = 3 * slot;
    uint64_t status = STATUS_AT + slot;
    bool in = type == T_IN || type == T_GET_ID;

    set_header(HEADER + 16 * slot, type, sector);
    *at(status) = S_NONE;
    driver_describe(&d, 0, first, HEADER + 16 * slot, 16, NEXT, (uint16_t)(first + 1));
    driver_describe(&d, 0, first + 1, data, size, NEXT | (in ? WRITE : 0), (uint16_t)(first + 2));
    driver_describe(&d, 0, first + 2, status, 1, WRITE, 0);
    driver_offer(&d, 0, (uint16_t)first);
}

/* What became of it; `written` is what the used ring says. */
static int request(uint32_t type, uint64_t sector, uint64_t data, uint32_t size, uint32_t *written)
{
    offer(0, type, sector, data, size);
    server_run(b, 0);
    assert_int_equal(driver_take(&d, 0, written), 0);
    return *at(STATUS_AT);
}

static void identity(void **state)
{
    assert_int_equal(driver_config(&d, 0, 4), 0x10421af4);
    assert_int_equal(driver_config(&d, 10, 2), 0x0180); /* mass storage, other */
    assert_int_equal(board_load(b, 0, d.config, 8), SERVER_SECTORS);
    assert_int_equal(board_load(b, 0, d.config + 12, 4), 64);  /* seg_max */
    assert_int_equal(board_load(b, 0, d.config + 20, 4), 512); /* blk_size */
    assert_int_equal(board_load(b, 0, d.config + 36, 4), 1 << 22);
    assert_int_equal(board_load(b, 0, d.config + 40, 4), 1);
    assert_int_equal(board_load(b, 0, d.config + 44, 4), 1);
    assert_int_equal(board_load(b, 0, d.config + 48, 4), 1 << 22);
    assert_int_equal(board_load(b, 0, d.config + 52, 4), 1);
    assert_int_equal(board_load(b, 0, d.config + 56, 4), 1);
}

/* What is offered follows from what the disk can, and from the plan. */
static void features(void **state)
{
    const uint32_t always = RING_INDIRECT | RING_EVENT_IDX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH;
    static const struct {
        uint32_t flags;
        bool read_only;
        uint32_t offered;
    } cases[] = {
        {0, false, F_RO},
        {BLOCK_CAN_WRITE, false, 0},
        {BLOCK_CAN_WRITE, true, F_RO},
        {BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD, false, F_DISCARD},
        {BLOCK_CAN_WRITE | BLOCK_CAN_ZERO, false, F_WRITE_ZEROES},
        {BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO, false, F_RO},
        {BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO, true, F_RO},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        again(cases[i].flags, cases[i].read_only);
        driver_set(&d, OFFERED_SELECT, 4, 0);
        assert_int_equal(driver_get(&d, OFFERED, 4), always | cases[i].offered);
    }
}

/* Reads and writes of any size, at any address: also what is in no whole sectors of memory, and a
 * disk that takes bounce pages alone. */
static void transfers(void **state)
{
    static const uint64_t places[] = {DATA, DATA + 512, DATA + 1, DATA + 100, DATA + 4095};
    static const uint32_t sizes[] = {512, 1024, 4096, 4608, 65536, 300 * 512, 2000 * 512};
    uint32_t written;

    for (unsigned way = 0; way < 2; way++) {
        again(BLOCK_CAN_WRITE | (way ? BLOCK_NEEDS_BOUNCE : 0), false);
        for (unsigned p = 0; p < ARRAY_SIZE(places); p++)
            for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
                uint64_t sector = 5 + p + 7 * s;

                memset(at(DATA - 512), 0x77, sizes[s] + 8192);
                server.bounced = 0;
                assert_int_equal(request(T_IN, sector, places[p], sizes[s], &written), S_OK);
                assert_int_equal(written, sizes[s] + 1);
                assert_memory_equal(at(places[p]), server.disk + sector * 512, sizes[s]);
                assert_int_equal(*at(places[p] - 1), 0x77);
                assert_int_equal(*at(places[p] + sizes[s]), 0x77);
                assert_int_equal(server.bounced > 0, way == 1 || places[p] % 512 != 0);
                for (unsigned i = 0; i < sizes[s]; i++)
                    *at(places[p] + i) ^= (uint8_t)(0x5a + i / 512);
                assert_int_equal(request(T_OUT, sector + 1, places[p], sizes[s], &written), S_OK);
                assert_int_equal(written, 1);
                assert_memory_equal(at(places[p]), server.disk + (sector + 1) * 512, sizes[s]);
            }
        assert_int_equal(b->disks[0].disk.pages, 0);
    }
}

/* 2.7.4.1: the device must not assume an arrangement of descriptors. */
static void framing(void **state)
{
    for (unsigned i = 0; i < 3000; i++) {
        bool in = random_u64() & 1;
        uint64_t sector = random_u64() % 64, data = DATA + random_u64() % 64;
        uint32_t size = 512 * (1 + (uint32_t)(random_u64() % 12)), written;
        unsigned count = 0;
        uint16_t flags = in ? WRITE : 0;
        uint8_t *table = at(TABLE), copy[12 * 512];

        set_header(HEADER, in ? T_IN : T_OUT, sector);
        for (unsigned k = 0; k < size; k++)
            *at(data + k) = (uint8_t)random_u64();
        memcpy(copy, at(data), size);
        /* The header in two pieces, then data in pieces of any size, then the status. */
        struct {
            uint64_t address;
            uint32_t size;
            uint16_t flags, next;
        } pieces[80];
        uint32_t cut = (uint32_t)(random_u64() % 17);

        if (cut > 0)
            pieces[count++] = (typeof(pieces[0])){HEADER, cut, 0, 0};
        if (cut < 16)
            pieces[count++] = (typeof(pieces[0])){HEADER + cut, 16 - cut, 0, 0};
        for (uint32_t k = 0; k < size;) {
            uint32_t here = 200 + (uint32_t)(random_u64() % 2000);

            here = here < size - k ? here : size - k;
            pieces[count++] = (typeof(pieces[0])){data + k, here, flags, 0};
            k += here;
        }
        pieces[count++] = (typeof(pieces[0])){STATUS_AT, 1, WRITE, 0};
        for (unsigned k = 0; k + 1 < count; k++) {
            pieces[k].flags |= NEXT;
            pieces[k].next = (uint16_t)(k + 1);
        }
        memcpy(table, pieces, 16 * count);
        *at(STATUS_AT) = S_NONE;
        driver_describe(&d, 0, 0, TABLE, 16 * count, INDIRECT, 0);
        driver_offer(&d, 0, 0);
        server_run(b, 0);
        assert_int_equal(driver_take(&d, 0, &written), 0);
        assert_int_equal(*at(STATUS_AT), S_OK);
        assert_memory_equal(at(data), server.disk + sector * 512, size);
        if (!in)
            assert_memory_equal(copy, server.disk + sector * 512, size);
    }
}

static void statuses(void **state)
{
    static const struct {
        enum block_status status;
        int seen;
    } cases[] = {{BLOCK_DONE, S_OK},        {BLOCK_ERROR, S_IOERR},     {BLOCK_INVALID, S_IOERR},
                 {BLOCK_REFUSED, S_UNSUPP}, {BLOCK_NO_DEVICE, S_IOERR}, {77, S_IOERR}};
    uint32_t written;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        server.status = cases[i].status;
        assert_int_equal(request(T_IN, 0, DATA, 512, &written), cases[i].seen);
        assert_int_equal(written, cases[i].seen == S_OK ? 513 : 0);
        assert_int_equal(request(T_OUT, 0, DATA, 512, &written), cases[i].seen);
        assert_int_equal(request(T_FLUSH, 0, DATA, 0, &written), cases[i].seen);
    }
    server.status = BLOCK_DONE;
    assert_int_equal(request(T_IN, SERVER_SECTORS, DATA, 512, &written), S_IOERR);
    assert_int_equal(request(T_IN, UINT64_MAX, DATA, 512, &written), S_IOERR);
    assert_int_equal(request(T_IN, 0, DATA, 511, &written), S_IOERR);
    assert_int_equal(request(T_OUT, 0, DATA, 513, &written), S_IOERR);
    assert_int_equal(request(T_IN, 0, DATA, 0, &written), S_OK);
    assert_int_equal(written, 1);
    for (uint32_t type = 0; type < 40; type++)
        if (type != T_IN && type != T_OUT && type != T_FLUSH && type != T_GET_ID &&
            type != T_DISCARD && type != T_WRITE_ZEROES)
            assert_int_equal(request(type, 0, DATA, 512, &written), S_UNSUPP);
    assert_int_equal(request(UINT32_MAX, 0, DATA, 512, &written), S_UNSUPP);
}

static void get_id(void **state)
{
    uint32_t written;

    memset(at(DATA), 0x77, 32);
    assert_int_equal(request(T_GET_ID, 0, DATA, 20, &written), S_OK);
    assert_int_equal(written, 21);
    assert_memory_equal(at(DATA), "lintel-test\0\0\0\0\0\0\0\0\0\x77", 21);
    assert_int_equal(request(T_GET_ID, 0, DATA, 30, &written), S_OK);
    assert_int_equal(written, 20);
    assert_int_equal(request(T_GET_ID, 0, DATA, 19, &written), S_IOERR);
}

static void set_range(uint64_t sector, uint32_t sectors, uint32_t flags)
{
    memcpy(at(DATA), &sector, 8);
    memcpy(at(DATA + 8), &sectors, 4);
    memcpy(at(DATA + 12), &flags, 4);
}

/* 5.2.6.2 */
static void ranges(void **state)
{
    static const uint8_t zeroes[512];
    uint32_t written;

    set_range(3, 2, 0);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_OK);
    assert_memory_equal(server.disk + 3 * 512, zeroes, 512);
    assert_memory_equal(server.disk + 4 * 512, zeroes, 512);
    assert_int_not_equal(server.disk[2 * 512], 0);
    assert_int_not_equal(server.disk[5 * 512 + 1], 0);
    assert_int_equal(request(T_DISCARD, 0, DATA, 16, &written), S_OK);
    assert_int_equal(server.counts[BLOCK_DISCARD], 1);
    set_range(3, 2, 1); /* unmap */
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_OK);
    assert_int_equal(request(T_DISCARD, 0, DATA, 16, &written), S_UNSUPP);
    set_range(3, 2, 2); /* reserved */
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_UNSUPP);
    set_range(3, (1 << 22) + 1, 0);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_IOERR);
    set_range(SERVER_SECTORS, 1, 0);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_IOERR);
    set_range(3, 1, 0);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 15, &written), S_IOERR);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 32, &written), S_IOERR);
    again(BLOCK_CAN_WRITE, false);
    set_range(3, 1, 0);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_UNSUPP);
    assert_int_equal(request(T_DISCARD, 0, DATA, 16, &written), S_UNSUPP);
}

static void read_only(void **state)
{
    uint32_t written;

    again(BLOCK_CAN_WRITE | BLOCK_CAN_ZERO, true);
    assert_int_equal(request(T_IN, 0, DATA, 512, &written), S_OK);
    assert_int_equal(request(T_OUT, 0, DATA, 512, &written), S_IOERR);
    set_range(0, 1, 0);
    assert_int_equal(request(T_WRITE_ZEROES, 0, DATA, 16, &written), S_UNSUPP);
    assert_int_equal(server.counts[BLOCK_WRITE] + server.counts[BLOCK_ZERO], 0);
}

/* 5.2.6.4: a driver that takes FLUSH says itself when; for any other each write is followed by one.
 */
static void stable_writes(void **state)
{
    uint32_t written;

    assert_int_equal(request(T_OUT, 0, DATA, 512, &written), S_OK);
    assert_int_equal(server.counts[BLOCK_FLUSH], 0);
    assert_int_equal(request(T_FLUSH, 0, DATA, 0, &written), S_OK);
    assert_int_equal(server.counts[BLOCK_FLUSH], 1);
    driver_start(&d, VERSION_1 | RING_INDIRECT);
    assert_int_equal(request(T_OUT, 0, DATA, 512, &written), S_OK);
    assert_int_equal(server.counts[BLOCK_FLUSH], 2);
    assert_int_equal(request(T_IN, 0, DATA, 512, &written), S_OK);
    assert_int_equal(server.counts[BLOCK_FLUSH], 2);
}

/* A chain without a byte to write to has no place for its status. */
static void no_status(void **state)
{
    set_header(HEADER, T_IN, 0);
    driver_describe(&d, 0, 0, HEADER, 16, 0, 0);
    driver_offer(&d, 0, 0);
    assert_true(driver_get(&d, STATUS, 1) & NEEDS_RESET);
    driver_start(&d, UINT64_MAX);
    driver_describe(&d, 0, 0, HEADER, 0, 0, 0);
    driver_offer(&d, 0, 0);
    assert_true(driver_get(&d, STATUS, 1) & NEEDS_RESET);
    driver_start(&d, UINT64_MAX);
    *at(STATUS_AT) = S_NONE;
    driver_describe(&d, 0, 0, HEADER, 8, NEXT, 1); /* half a header */
    driver_describe(&d, 0, 1, STATUS_AT, 1, WRITE, 0);
    driver_offer(&d, 0, 0);
    assert_int_equal(*at(STATUS_AT), S_IOERR);
}

/* Two at once, whose answers come in any order, and one interrupt for what is answered together. */
static void order(void **state)
{
    uint32_t written;

    server.shuffled = true;
    for (unsigned i = 0; i < 1000; i++) {
        unsigned seen = 0;

        offer(0, T_IN, i, DATA, 4096);
        offer(1, T_IN, i + 100, DATA + 8192, 4096);
        server_run(b, 0);
        for (int head; (head = driver_take(&d, 0, &written)) >= 0;)
            seen |= 1u << head;
        assert_int_equal(seen, 1 | 8);
        assert_memory_equal(at(DATA), server.disk + i * 512, 4096);
        assert_memory_equal(at(DATA + 8192), server.disk + (i + 100) * 512, 4096);
    }
}

/* A driver that was started again gets what it had not answered once more, and nothing of before is
 * believed. */
static void restart(void **state)
{
    uint32_t written;

    offer(0, T_OUT, 9, DATA, 4096);
    offer(1, T_IN, 30, DATA + 8193, 4096);
    server_run(b, 2);
    server_start(b);
    server_answer(0, server_epoch() - 1, BLOCK_DONE);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(driver_take(&d, 0, &written), -1);
    server_run(b, 0);
    assert_int_equal(driver_take(&d, 0, &written), 0);
    assert_int_equal(driver_take(&d, 0, &written), 3);
    assert_memory_equal(at(DATA), server.disk + 9 * 512, 4096);
    assert_memory_equal(at(DATA + 8193), server.disk + 30 * 512, 4096);
    assert_int_equal(b->disks[0].disk.pages, 0);
}

/* A driver that has ended: errors, for what it had and for all that comes. */
static void ended(void **state)
{
    uint32_t written;

    offer(0, T_IN, 9, DATA, 4096);
    server_run(b, 1);
    server_end(b);
    assert_int_equal(driver_take(&d, 0, &written), 0);
    assert_int_equal(*at(STATUS_AT), S_IOERR);
    assert_int_equal(request(T_OUT, 0, DATA, 512, &written), S_IOERR);
    driver_set(&d, STATUS, 1, 0);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    board_reset(b);
}

/* Answers that nobody waits for. */
static void nonsense(void **state)
{
    uint32_t written;

    offer(0, T_IN, 9, DATA, 4096);
    server_run(b, 1);
    server_answer(64, server_epoch(), BLOCK_DONE);
    server_answer(UINT32_MAX, server_epoch(), BLOCK_DONE);
    server_answer(17, server_epoch(), BLOCK_DONE);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(driver_take(&d, 0, &written), -1);
    server_run(b, 0);
    assert_int_equal(driver_take(&d, 0, &written), 0);
    for (uint32_t id = 0; id < BLOCK_IDS; id++)
        server_answer(id, server_epoch(), BLOCK_DONE);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(driver_take(&d, 0, &written), -1);
    assert_int_equal(request(T_IN, 9, DATA, 512, &written), S_OK);
}

/* 4.1.4.3.1: a reset is done when the disk no longer reaches the guest's memory. */
static void device_reset(void **state)
{
    uint8_t before[4096];
    uint32_t written;

    offer(0, T_IN, 9, DATA, 4096);
    server_run(b, 1);
    driver_set(&d, STATUS, 1, 0);
    assert_int_not_equal(driver_get(&d, STATUS, 1), 0);
    server_run(b, 0);
    assert_int_equal(driver_get(&d, STATUS, 1), 0);
    memcpy(before, at(RINGS_AT + USED_AT), sizeof(before));
    driver_start(&d, UINT64_MAX);
    assert_int_equal(request(T_IN, 10, DATA, 4096, &written), S_OK);
}

/* A reset of the machine waits, too. */
static void machine_reset(void **state)
{
    uint32_t written;

    offer(0, T_IN, 9, DATA, 4096);
    offer(1, T_OUT, 10, DATA, 4096);
    server_run(b, 2);
    board_reset(b);
    assert_true(disk_is_idle(&b->disks[0].disk));
    assert_int_equal(server.counts[BLOCK_READ], 1);
    driver_find(&d, b, 1);
    driver_start(&d, UINT64_MAX);
    assert_int_equal(request(T_IN, 11, DATA, 4096, &written), S_OK);
    assert_memory_equal(at(DATA), server.disk + 11 * 512, 4096);
}

/* A disk that is not there, and a driver that never starts: the machine starts without. */
static void no_disk(void **state)
{
    uint64_t before;

    teardown(NULL);
    server_make(false);
    server.status = BLOCK_NO_DEVICE;
    server_start(NULL);
    b = NULL;
    b = fake_board_with(64 << 20, spin);
    board_out(b, 0, 0xcf8, 4, 0x80000800);
    assert_int_equal(board_in(b, 0, 0xcfc, 4), UINT32_MAX);
    assert_non_null(strstr(fakes.log, "there is no disk \"lintel-test\""));
    teardown(NULL);
    server_make(false);
    before = fakes.tsc;
    b = fake_board_with(64 << 20, no_server);
    assert_in_range(fakes.tsc - before, 9000000000, 11000000000);
    board_out(b, 0, 0xcf8, 4, 0x80000800);
    assert_int_equal(board_in(b, 0, 0xcfc, 4), UINT32_MAX);
    /* It comes later, and is there at the next start. */
    server_start(b);
    server_run(b, 0);
    board_events(b, EVENT_CHANNEL(0));
    assert_int_equal(board_in(b, 0, 0xcfc, 4), UINT32_MAX);
    board_reset(b);
    board_out(b, 0, 0xcf8, 4, 0x80000800);
    assert_int_equal(board_in(b, 0, 0xcfc, 4), 0x10421af4);
}

/* As many as there are ids, and more: the rest waits. */
static void many(void **state)
{
    unsigned total = 0;
    uint32_t written;

    for (unsigned i = 0; i < 200; i++) {
        unsigned count = 1 + random_u64() % 2;

        for (unsigned k = 0; k < count; k++)
            offer(k, random_u64() & 1 ? T_IN : T_OUT, random_u64() % 1024,
                  DATA + k * 0x10000 + random_u64() % 3 * 77, 512 * (1 + random_u64() % 64));
        if (random_u64() % 8 == 0)
            server_start(b);
        server.shuffled = random_u64() & 1;
        server_run(b, 0);
        for (unsigned k = 0; k < count; k++, total++)
            assert_true(driver_take(&d, 0, &written) >= 0);
    }
    assert_true(disk_is_idle(&b->disks[0].disk));
    assert_int_equal(b->disks[0].disk.pages, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(identity),      TEST(features),  TEST(transfers),    TEST(framing),
        TEST(statuses),      TEST(get_id),    TEST(ranges),       TEST(read_only),
        TEST(stable_writes), TEST(no_status), TEST(order),        TEST(restart),
        TEST(ended),         TEST(nonsense),  TEST(device_reset), TEST(machine_reset),
        TEST(no_disk),       TEST(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
