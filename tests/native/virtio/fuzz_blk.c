/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_blk [SECONDS]: a block device between a guest that hands it anything and a disk's driver
 * that does anything. The guest's chains are requests with some of it wrong, and rings that change;
 * it resets the device under way. The driver answers late, in any order, with errors, starts again,
 * ends, or writes anything into the channel. Whatever they do, each segment is the guest's memory
 * or a bounce page (server.c), a driver that answers ends all requests, and then all pages and
 * places are free again. The sanitizers see the rest. Without an argument it does as much each
 * time.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/block.h"
#include "tests/native/virtio/driver.h"
#include "tests/native/virtio/server.h"

#define NEXT     1
#define WRITE    2
#define INDIRECT 4

#define RAM   (4u << 20)
#define TABLE 0x2000 /* an indirect table, and headers behind it */
#define LIVES 300u   /* of a machine */
#define STEPS 300u   /* in a life */

static unsigned long seconds, requests;
static struct board *b;
static struct driver d;

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(random_u64() >> 32) % limit;
}

static uint8_t *at(uint64_t address)
{
    return driver_memory(&d, address);
}

/* Whenever the monitor waits the driver has its turn. */
static void spin(void)
{
    server_turn(b);
}

static uint64_t place(void)
{
    static const uint64_t places[] = {0x40000, RAM - 4096, RAM - 513,       0x40001,
                                      0x50000, RAM,        UINT64_MAX - 600};

    return places[below(below(16) ? 5 : 7)] + below(4) * (below(2) ? 512 : 1);
}

static void write_header(uint64_t where)
{
    static const uint32_t types[] = {0, 0, 0, 1, 1, 1, 4, 8, 11, 13, 2, 99};
    uint32_t type = types[below(12)];
    uint64_t sector = below(8) ? below(SERVER_SECTORS) : random_u64();

    memcpy(at(where), &type, 4);
    memcpy(at(where + 8), &sector, 8);
    memcpy(at(where + 16), &sector, 8); /* a range, if it is one */
    memcpy(at(where + 24), &(uint32_t){below(64)}, 4);
    memcpy(at(where + 28), &(uint32_t){below(3)}, 4);
}

/* Fills in one descriptor of the ring, or of the table. */
static void describe(bool table, unsigned index, uint64_t address, uint32_t size, uint16_t flags,
                     uint16_t next)
{
    uint8_t *entry = at(TABLE + 16 * index);

    if (!table) {
        driver_describe(&d, 0, index, address, size, flags, next);
        return;
    }
    memcpy(entry, &address, 8);
    memcpy(entry + 8, &size, 4);
    memcpy(entry + 12, &flags, 2);
    memcpy(entry + 14, &next, 2);
}

/* A request in a chain of header, pieces of data, and status. */
static void offer(void)
{
    bool table = below(3) == 0, in = below(2);
    unsigned pieces = below(table ? 40 : 4), slot = below(TEST_SIZE), first = table ? 0 : slot;
    uint64_t header = TABLE + 0x1000 + 64 * slot;

    write_header(header);
    describe(table, first, header, below(16) ? 16 : below(40), NEXT, (uint16_t)(first + 1));
    for (unsigned i = 1; i <= pieces; i++)
        describe(table, (first + i) % (table ? 64 : TEST_SIZE), place(),
                 below(4) ? 512 * below(8) : below(3000), NEXT | (in || !below(30) ? WRITE : 0),
                 (uint16_t)((first + i + 1) % (table ? 64 : TEST_SIZE)));
    describe(table, (first + pieces + 1) % (table ? 64 : TEST_SIZE), header + 48, 1,
             below(40) ? WRITE : 0, 0);
    if (table)
        driver_describe(&d, 0, slot, TABLE, 16 * (below(20) ? pieces + 2 : below(64)), INDIRECT, 0);
    if (!below(60))
        *at(RINGS_AT + below(0x2100)) ^= (uint8_t)(1u << below(8));
    driver_offer(&d, 0, (uint16_t)(below(60) ? slot : below(0x10000)));
    requests++;
}

/* False: the reset is not done, as the disk's driver has requests. */
static bool try_restart(void)
{
    driver_set(&d, STATUS, 1, 0);
    if (driver_get(&d, STATUS, 1) != 0)
        return false;
    driver_start(&d, below(4) ? UINT64_MAX : random_u64() | VERSION_1);
    return true;
}

static void restart_device(void)
{
    driver_set(&d, STATUS, 1, 0);
    server_run(b, 0);
    assert_true(try_restart());
}

static void step(void)
{
    static const enum block_status statuses[] = {BLOCK_ERROR, BLOCK_INVALID, BLOCK_REFUSED,
                                                 BLOCK_NO_DEVICE};
    bool old = below(2);

    switch (below(12)) {
    case 0:
        server_start(b);
        break;
    case 1:
        restart_device();
        break;
    case 2: /* of what is not under way */
        server_try_answer(old ? below(70) : BLOCK_IDS + below(6), server_epoch() - old, below(7));
        board_events(b, EVENT_CHANNEL(0));
        break;
    case 3:
        server.shuffled = below(2);
        server.status = below(3) ? BLOCK_DONE : statuses[below(4)];
        break;
    case 4:
    case 5:
        server_run(b, below(8));
        break;
    case 6:
        if (driver_get(&d, STATUS, 1) & NEEDS_RESET)
            restart_device();
        break;
    default:
        offer();
    }
}

static void begin(uint32_t flags)
{
    server_make(!below(8));
    server.flags = flags;
    server_start(NULL);
    b = NULL;
    b = fake_board_with(RAM, spin);
    driver_find(&d, b, 1);
    driver_start(&d, UINT64_MAX);
}

/* A driver that keeps to the protocol. */
static void live(void)
{
    begin(below(16));
    for (unsigned i = 0; i < STEPS; i++)
        step();
    server_run(b, 0);
    assert_true(disk_is_idle(&b->disks[0].disk));
    assert_int_equal(b->disks[0].disk.pages, 0);
    if (below(4) == 0)
        server_end(b);
    board_reset(b);
    assert_true(disk_is_idle(&b->disks[0].disk));
    fake_board_free(b);
    server_free();
}

static void nobody(void)
{
}

/* One that writes anything, as far as a driver may: at the end it ends, and nothing is under way.
 */
static void live_with_noise(void)
{
    struct channel *pages;

    begin(below(16));
    fakes.spin = nobody;
    pages = fakes.channels;
    for (unsigned i = 0; i < STEPS; i++) {
        struct channel_ring *ring = &pages->ring[1];
        struct block_answer *a = (void *)ring->entry[ring->tail % CHANNEL_ENTRIES];

        offer();
        if (driver_get(&d, STATUS, 1) & NEEDS_RESET && !try_restart())
            break;
        *a = (struct block_answer){.id = below(70),
                                   .epoch = server_epoch() + !below(8),
                                   .status = below(3) ? BLOCK_DONE : below(9),
                                   .flags = (uint32_t)random_u64(),
                                   .value = random_u64()};
        ring->tail += below(3);
        if (!below(8))
            ((uint8_t *)pages)[below(BLOCK_CHANNEL_SIZE)] = (uint8_t)random_u64();
        if (!below(8))
            ((uint8_t *)pages)[below(256)] = (uint8_t)random_u64();
        board_events(b, EVENT_CHANNEL(0));
    }
    server_end(b);
    assert_true(disk_is_idle(&b->disks[0].disk));
    assert_int_equal(b->disks[0].disk.pages, 0);
    fake_board_free(b);
    server_free();
}

static void fuzz(void **state)
{
    time_t end = time(NULL) + (time_t)seconds;

    for (unsigned i = 0; seconds == 0 ? i < LIVES : time(NULL) < end; i++) {
        live();
        live_with_noise();
    }
    print_message("%lu requests\n", requests);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fuzz)};

    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
