/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests made by chance, with extents and disks made by chance: what passes the check moves each
 * sector once, between where the client said and where its partition and its memory are; one whose
 * segments are wrong ends before the command that would move what is wrong. What that means is said
 * here a second time, sector by sector. With an argument: for so many seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "drivers/request.h"

#define SECTORS_MAX 600u

static uint64_t chance = 0x2545f4914f6cdd1dULL;
static uint64_t passed, failed;

static uint64_t below(uint64_t limit)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (chance >> 16) % limit;
}

static struct process_extents extents;
static struct share share;
static struct disk disk;
static struct request request;

/* Extents on sectors, near each other, and sometimes at the ends of the address space. */
static void make_share(void)
{
    uint64_t at = below(4) ? 0 : (1ULL << 56) - 200 * BLOCK_SECTOR;

    memset(&extents, 0, sizeof(extents));
    extents.count = below(PROCESS_EXTENTS + 1);
    for (uint64_t i = 0; i < extents.count; i++) {
        at += below(3) * BLOCK_SECTOR;
        extents.extent[i].gpa = at;
        extents.extent[i].physical = (1 + below(1ULL << 30)) << 12;
        extents.extent[i].size = (1 + below(64)) * BLOCK_SECTOR;
        at += extents.extent[i].size;
    }
    share = (struct share){.present = below(16) > 0,
                           .first = below(1000),
                           .sectors = 1 + below(SECTORS_MAX),
                           .flags = (uint32_t)below(16) & (below(4) ? 7 : 15),
                           .extents = &extents,
                           .bounce = {0, 0x77000, BLOCK_PAGES * 4096}};
    if (!below(4))
        share.first = UINT64_MAX - share.sectors;
    disk = (struct disk){.max_runs = 1 + (unsigned)below(DISK_RUNS),
                         .max_sectors = 1 + (uint32_t)below(below(2) ? 8 : 1000)};
}

static uint64_t make_segment(uint32_t *sectors)
{
    const struct process_extent *e = &extents.extent[below(PROCESS_EXTENTS)];
    uint64_t address = below(2) ? e->gpa + below(64) * BLOCK_SECTOR : below(100) * BLOCK_SECTOR;

    *sectors = (uint32_t)below(below(4) ? 9 : 140);
    if (!below(200))
        return below(UINT64_MAX);
    return BLOCK_SEGMENT(address, *sectors) | (below(4) ? 0 : BLOCK_SEGMENT_BOUNCE);
}

static void make_request(void)
{
    struct block_request *head = &request.head;
    uint32_t total = 0, sectors;

    memset(&request, 0, sizeof(request));
    head->op = (uint8_t)below(BLOCK_OP_COUNT + !below(8));
    head->reserved = !below(40);
    if (head->op == BLOCK_READ || head->op == BLOCK_WRITE || !below(8))
        head->segment_count = (uint8_t)below(below(8) ? 6 : BLOCK_SEGMENTS + 2);
    for (unsigned i = 0; i < head->segment_count && i < BLOCK_SEGMENTS; i++) {
        request.segment[i] = make_segment(&sectors);
        total += sectors;
    }
    head->sectors = below(8) && head->segment_count ? total : (uint32_t)below(SECTORS_MAX);
    head->sector = below(share.sectors);
    if (below(2) && head->sectors <= share.sectors)
        head->sector = below(share.sectors - head->sectors + 2);
    if (!below(30))
        head->sector = UINT64_MAX - below(100);
}

/* Where a sector of a segment is; 0: nowhere that the client may name. */
static uint64_t place(uint64_t segment, uint64_t sector)
{
    uint64_t address = ((segment & ~(1ULL << 63)) >> 16) * 512 + sector * 512;

    if (segment >> 63)
        return address + 512 <= BLOCK_PAGES * 4096 ? 0x77000 + address : 0;
    for (uint64_t i = 0; i < extents.count && !(share.flags & BLOCK_NEEDS_BOUNCE); i++) {
        const struct process_extent *e = &extents.extent[i];

        if (address >= e->gpa && address + 512 <= e->gpa + e->size)
            return e->physical + address - e->gpa;
    }
    return 0;
}

/* The places of all sectors, one after the other; how many before the first that is no good, or
 * UINT32_MAX: the segments are right. */
static uint32_t places(uint64_t *place_of)
{
    const struct block_request *head = &request.head;
    uint32_t n = 0;

    for (unsigned i = 0; i < head->segment_count; i++) {
        if ((request.segment[i] & 0xffff) == 0)
            return n;
        for (uint32_t s = 0; s < (request.segment[i] & 0xffff); s++) {
            uint64_t at = place(request.segment[i], s);

            if (at == 0 || n == head->sectors)
                return n;
            place_of[n++] = at;
        }
    }
    return n == head->sectors ? UINT32_MAX : n;
}

static enum block_status judge(void)
{
    static const uint32_t needs[] = {0, 0, BLOCK_CAN_WRITE, 0, BLOCK_CAN_DISCARD, BLOCK_CAN_ZERO};
    const struct block_request *head = &request.head;
    bool moves = head->op == BLOCK_READ || head->op == BLOCK_WRITE;

    if (head->op > BLOCK_ZERO || head->segment_count > 64 || head->reserved)
        return BLOCK_INVALID;
    if (!share.present)
        return BLOCK_NO_DEVICE;
    if ((share.flags & needs[head->op]) != needs[head->op])
        return BLOCK_REFUSED;
    if (head->op != BLOCK_INFO && head->op != BLOCK_FLUSH) {
        if (head->sectors == 0 || head->sector >= share.sectors ||
            share.sectors - head->sector < head->sectors)
            return BLOCK_INVALID;
    }
    return !moves && head->segment_count > 0 ? BLOCK_INVALID : BLOCK_DONE;
}

static uint32_t check_command(const struct disk_command *c, const uint64_t *place_of, uint32_t done)
{
    uint32_t sectors = 0;

    assert_int_equal(c->op, request.head.op);
    assert_int_equal(c->sector, share.first + request.head.sector + done);
    assert_true(c->sectors <= disk.max_sectors && c->run_count <= disk.max_runs);
    for (uint32_t i = 0; i < c->run_count; i++) {
        assert_true(c->runs[i].bytes > 0 && c->runs[i].bytes % 512 == 0);
        for (uint32_t at = 0; at < c->runs[i].bytes; at += 512, sectors++)
            assert_int_equal(c->runs[i].physical + at, place_of[done + sectors]);
    }
    if (c->op == BLOCK_READ || c->op == BLOCK_WRITE)
        assert_int_equal(sectors, c->sectors);
    else
        assert_int_equal(c->run_count, 0);
    return done + c->sectors;
}

static void one(void)
{
    static uint64_t place_of[SECTORS_MAX + 1];
    struct disk_command command;
    enum block_status status;
    enum request_part part;
    uint32_t done = 0, good = UINT32_MAX;

    make_share();
    make_request();
    status = judge();
    assert_int_equal(request_check(&request.head, &share), status);
    if (status == BLOCK_DONE && (request.head.op == BLOCK_READ || request.head.op == BLOCK_WRITE))
        good = places(place_of);
    if (status == BLOCK_DONE && good == UINT32_MAX)
        passed++;
    else
        failed++;
    if (status != BLOCK_DONE || request.head.op == BLOCK_INFO)
        return;
    while ((part = request_cut(&request, &share, &disk, &command)) != REQUEST_WRONG) {
        assert_true(command.sectors > 0 || command.op == BLOCK_FLUSH);
        done = check_command(&command, place_of, done);
        assert_true(done <= good);
        if (part == REQUEST_LAST)
            break;
    }
    assert_int_equal(part == REQUEST_WRONG, good != UINT32_MAX);
    if (part == REQUEST_LAST)
        assert_int_equal(done, request.head.op == BLOCK_FLUSH ? 0 : request.head.sectors);
}

static time_t seconds;

static void test_chance(void **state)
{
    time_t end = time(NULL) + seconds;

    if (seconds)
        chance = (uint64_t)end << 20 | 1;
    do {
        for (unsigned i = 0; i < 100000; i++)
            one();
    } while (time(NULL) < end);
    print_message("%llu requests passed, %llu did not\n", (unsigned long long)passed,
                  (unsigned long long)failed);
    assert_true(passed * 8 > failed && failed * 8 > passed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chance)};

    if (argc > 1)
        seconds = atol(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
