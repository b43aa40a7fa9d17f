/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/virtio/server.h"

#include <stdlib.h>
#include <string.h>

#include "abi/block.h"
#include "runtime/channel.h"

struct server server;

static struct process_info process;
static struct channel_end end;
static struct block_area *area;
static struct block_request has[2 * BLOCK_IDS];
static unsigned has_count;

void server_make(bool read_only)
{
    memset(&server, 0, sizeof(server));
    fakes_reset();
    server.flags = BLOCK_CAN_WRITE | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO;
    for (unsigned i = 0; i < sizeof(server.disk); i++)
        server.disk[i] = (uint8_t)(i / BLOCK_SECTOR + i % 251);
    process = (struct process_info){.tsc_khz = 1000000, .channel_count = 1};
    process.channels[0] = (struct process_channel){.kind = PLAN_CHANNEL_BLOCK,
                                                   .read_only = read_only,
                                                   .size = BLOCK_CHANNEL_SIZE,
                                                   .peer = "driver",
                                                   .label = "lintel-test"};
    fakes.process = &process;
    fakes.channels = aligned_alloc(4096, BLOCK_CHANNEL_SIZE);
    memset(fakes.channels, 0, BLOCK_CHANNEL_SIZE);
    area = (void *)((uint8_t *)fakes.channels + CHANNEL_AREA);
    has_count = 0;
}

void server_free(void)
{
    free(fakes.channels);
    fakes.process = NULL;
}

void server_start(struct board *b)
{
    has_count = 0;
    area->epoch++;
    channel_open(&end, fakes.channels, 0, true);
    if (b != NULL)
        board_events(b, EVENT_CHANNEL(0));
}

void server_end(struct board *b)
{
    has_count = 0;
    process.channels[0].ended = 1;
    board_events(b, EVENT_CHANNEL(0));
}

uint32_t server_epoch(void)
{
    return area->epoch;
}

bool server_try_answer(uint32_t id, uint32_t epoch, uint32_t status)
{
    bool put;

    uint8_t entry[CHANNEL_ENTRY_SIZE] = {0};
    struct block_answer a = {
        .id = id, .epoch = epoch, .status = status, .flags = server.flags, .value = SERVER_SECTORS};

    memcpy(entry, &a, sizeof(a));
    put = channel_put(&end, entry);
    channel_flush(&end);
    return put;
}

void server_answer(uint32_t id, uint32_t epoch, uint32_t status)
{
    assert_true(server_try_answer(id, epoch, status));
}

static void move(struct board *b, const struct block_request *q)
{
    uint64_t at = q->sector;

    for (unsigned i = 0; i < q->segment_count; i++) {
        uint64_t s = area->segment[q->id][i], address = BLOCK_SEGMENT_ADDRESS(s);
        uint32_t sectors = BLOCK_SEGMENT_SECTORS(s);
        uint8_t *memory, *disk = server.disk + at * BLOCK_SECTOR;

        assert_true(sectors > 0);
        assert_true(at + sectors <= SERVER_SECTORS);
        if (s & BLOCK_SEGMENT_BOUNCE) {
            assert_true(address + sectors * BLOCK_SECTOR <= sizeof(area->page));
            memory = area->page[0] + address;
            server.bounced++;
        } else {
            assert_false(server.flags & BLOCK_NEEDS_BOUNCE);
            memory = guest_memory_at(&b->memory, address, sectors * BLOCK_SECTOR);
            assert_non_null(memory);
        }
        memcpy(q->op == BLOCK_READ ? memory : disk, q->op == BLOCK_READ ? disk : memory,
               sectors * BLOCK_SECTOR);
        at += sectors;
    }
    assert_int_equal(at - q->sector, q->sectors);
}

static enum block_status serve(struct board *b, const struct block_request *q)
{
    server.counts[q->op]++;
    if (q->op == BLOCK_INFO)
        return server.status == BLOCK_NO_DEVICE ? BLOCK_NO_DEVICE : BLOCK_DONE;
    if (server.status != BLOCK_DONE)
        return server.status;
    if (q->sector > SERVER_SECTORS || q->sectors > SERVER_SECTORS - q->sector)
        return BLOCK_INVALID;
    if (q->op == BLOCK_READ || q->op == BLOCK_WRITE)
        move(b, q);
    if (q->op == BLOCK_ZERO)
        memset(server.disk + q->sector * BLOCK_SECTOR, 0, q->sectors * BLOCK_SECTOR);
    return BLOCK_DONE;
}

static void take(void)
{
    uint8_t entry[CHANNEL_ENTRY_SIZE];

    while (channel_get(&end, entry)) {
        struct block_request q;

        memcpy(&q, entry, sizeof(q));
        if (q.epoch != area->epoch)
            continue;
        assert_true(q.id < BLOCK_IDS && q.op < BLOCK_OP_COUNT);
        assert_true(q.segment_count <= BLOCK_SEGMENTS);
        for (unsigned i = 0; i < has_count; i++)
            assert_int_not_equal(has[i].id, q.id); /* none is under way twice */
        has[has_count++] = q;
    }
}

void server_turn(struct board *b)
{
    static bool inside;

    if (inside)
        return;
    inside = true;
    server_run(b, 0);
    inside = false;
}

void server_run(struct board *b, unsigned held)
{
    for (take(); has_count > held; take()) {
        unsigned i = server.shuffled ? random_u64() % has_count : 0;
        struct block_request q = has[i];

        memmove(&has[i], &has[i + 1], (--has_count - i) * sizeof(q));
        server_answer(q.id, q.epoch, serve(b, &q));
        server.rounds++;
        if (b != NULL)
            board_events(b, EVENT_CHANNEL(0));
    }
    channel_sleep(&end);
}
