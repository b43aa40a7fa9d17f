/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_serve [SECONDS]: a disk's server with three clients of which each writes anything into its
 * pages, at any time, with a disk that ends commands in any order, fails, or never answers, and
 * starts after starts. Whatever they do, each command is of one client's sectors and its memory,
 * with its leave, and all comes to an end. The sanitizers see the rest. Without an argument it does
 * as much each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "drivers/serve.h"
#include "fake_disk.h"
#include "machine.h"
#include "table.h"

#define LIVES 1500u /* of a machine */
#define STEPS 400u  /* in a life */

/* Clients 0 and 1 have a partition, client 2 may read the whole disk. */
static const struct {
    uint64_t first, sectors;
} share[CHANNELS] = {{100, 200}, {300, 100}, {0, FAKE_SECTORS}};

static unsigned long seconds, commands;
static uint64_t chance = 0x9e3779b97f4a7c15;

static uint32_t below(uint32_t limit)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (uint32_t)(chance >> 32) % limit;
}

static void start(void)
{
    machine_new();
    fake_new();
    fake.is.depth = 1 + below(4);
    table_make(fake.data, FAKE_SECTORS);
    for (unsigned n = 0; n < 2; n++)
        table_add(fake.data, FAKE_SECTORS, n, share[n].first, share[n].first + share[n].sectors - 1,
                  n == 0 ? "lintel-0" : "lintel-1");
    table_seal(fake.data, FAKE_SECTORS);
    process.channels[2].label[0] = '\0';
    process.channels[2].read_only = 1;
    serve_start(&process);
    fake.count = 0;
}

/* Whose memory this is; CHANNELS: nobody's, as the server reads for itself. */
static unsigned owner_of(uint64_t physical)
{
    unsigned n = 0;

    while (n < CHANNELS && physical - CHANNEL_PHYSICAL(n) >= PROCESS_CHANNEL_STRIDE &&
           physical - GUEST_PHYSICAL(n) >= 0x1000000)
        n++;
    return n;
}

static bool is_within(const struct disk_command *c, unsigned n)
{
    return c->sector >= share[n].first && c->sector - share[n].first <= share[n].sectors &&
           c->sectors <= share[n].sectors - (c->sector - share[n].first);
}

/* The disk has looked at bounds already (fake_disk.c). */
static void check_command(const struct disk_command *c)
{
    unsigned n = c->run_count > 0 ? owner_of(c->runs[0].physical) : CHANNELS;

    commands++;
    for (uint32_t i = 0; i < c->run_count; i++) {
        uint64_t at = c->runs[i].physical, bounce = at - CHANNEL_PHYSICAL(n);

        assert_int_equal(owner_of(at), n);
        if (bounce < PROCESS_CHANNEL_STRIDE)
            assert_true(bounce >= CHANNEL_AREA + offsetof(struct block_area, page));
    }
    if (c->op == BLOCK_READ)
        assert_true(n < CHANNELS && is_within(c, n));
    else if (c->op == BLOCK_WRITE)
        assert_true(n < 2 && is_within(c, n));
    else if (c->op != BLOCK_FLUSH)
        assert_true(is_within(c, 0) || is_within(c, 1));
}

static uint64_t segment(void)
{
    static const uint64_t places[] = {0,
                                      GUEST_LOW - 1024,
                                      GUEST_LOW + GUEST_MIDDLE - 1024,
                                      GUEST_HIGH_AT - 1024,
                                      GUEST_HIGH_AT + GUEST_HIGH - 1024,
                                      BLOCK_PAGES * 4096 - 1024,
                                      (1ULL << 56) - 1024};
    uint64_t address = places[below(7)] + below(6) * BLOCK_SECTOR;

    if (!below(50))
        return chance;
    return BLOCK_SEGMENT(address, below(below(8) ? 5 : 200)) |
           (below(4) ? 0 : BLOCK_SEGMENT_BOUNCE);
}

static void write_request(struct block_request *r, unsigned n)
{
    *r = (struct block_request){.id = below(BLOCK_IDS + 1),
                                .epoch = process.starts - !below(20),
                                .op = (uint8_t)below(BLOCK_OP_COUNT + !below(20)),
                                .segment_count = (uint8_t)below(4),
                                .reserved = !below(50),
                                .sectors = below(10),
                                .sector = below((uint32_t)share[n].sectors + 2)};
    if (r->op != BLOCK_READ && r->op != BLOCK_WRITE && below(10))
        r->segment_count = 0;
    if (!below(50))
        r->sector = chance;
    if (!below(50))
        r->sectors = (uint32_t)chance;
    for (unsigned i = 0, sum = 0; r->id < BLOCK_IDS && i < r->segment_count; i++) {
        uint64_t s = area_of(n)->segment[r->id][i] = segment();

        sum += BLOCK_SEGMENT_SECTORS(s);
        if (below(10))
            r->sectors = sum;
    }
}

/* A client does something. */
static void act(unsigned n)
{
    struct channel *pages = (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE);
    struct channel_ring *to = &pages->ring[0], *from = &pages->ring[1];

    switch (below(20)) {
    case 0: /* noise */
        ((uint8_t *)pages)[below(0x300)] = (uint8_t)below(256);
        break;
    case 1:
        ((uint8_t *)pages)[below(CHANNEL_AREA)] ^= (uint8_t)(1u << below(8));
        break;
    case 2:
        to->tail = to->head + below(below(4) ? 4 : CHANNEL_ENTRIES + 3);
        break;
    case 3: /* it takes answers */
        from->head = from->tail;
        break;
    case 4:
        from->sleeps = below(2);
        to->blocked = below(2);
        break;
    case 5:
        area_of(n)->epoch = below(3);
        break;
    default:
        write_request((void *)to->entry[to->tail % CHANNEL_ENTRIES], n);
        to->tail++;
    }
    if (below(2))
        machine_raise(EVENT_CHANNEL(n));
}

/* And the disk. */
static void act_disk(void)
{
    unsigned tag = below(DISK_DEPTH);

    fake.holds = below(3) > 0;
    fake.silent = !below(8);
    fake.refuses = !below(40);
    fake.bad_sector = below(4) ? UINT64_MAX : below(FAKE_SECTORS);
    if (fake_under_way() > 0) {
        while (!fake.under_way[tag])
            tag = (tag + 1) % DISK_DEPTH;
        fake_end(tag);
    }
}

static void restart(void)
{
    fake.holds = fake.silent = fake.refuses = false;
    fake.bad_sector = UINT64_MAX;
    machine_restart();
    serve_start(&process);
    fake.count = 0;
}

static void live(void)
{
    start();
    for (unsigned step = 0; step < STEPS; step++) {
        logged[0] = '\0';
        fake.count = 0;
        for (unsigned i = below(4); i > 0; i--)
            act(below(CHANNELS));
        act_disk();
        time_passes = !below(100);
        machine_run();
        for (unsigned i = 0; i < fake.count; i++)
            check_command(&fake.log[i]);
        if (!below(200))
            restart();
    }
}

static void fuzz(void **state)
{
    time_t end = time(NULL) + (time_t)seconds;

    if (seconds)
        chance = (uint64_t)end << 20 | 1;
    for (unsigned i = 0; seconds == 0 ? i < LIVES : time(NULL) < end; i++)
        live();
    print_message("%lu commands\n", commands);
    assert_true(commands > 1000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fuzz)};

    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
