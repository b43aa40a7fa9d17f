/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serves a disk to the clients of all channels of this process, which are guests' monitors and
 * trust neither each other nor this driver. Clients have turns: of one command each, so that none
 * waits for another's long request. Whatever a client writes, it harms its own requests only.
 */
#include "drivers/serve.h"

#include <stddef.h>

#include "drivers/disk.h"
#include "drivers/gpt.h"
#include "drivers/request.h"
#include "drivers/share.h"
#include "lib/bits.h"
#include "lib/bucket.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/io.h"
#include "runtime/log.h"
#include "runtime/process.h"
#include "runtime/shared.h"

/* While commands are under way the device is looked at this often: should an interrupt be lost, or
 * where there is none. */
#define TICK_MS 1000u
#define POLL_MS 1u
/* A disk that has to spin up may take this long; what takes longer never ends. */
#define LATE_MS 30000u
/* Turns before the device is looked at again, however much the clients want. */
#define TURNS 512u
/* Lines about commands that failed: so many at once, then one in this time. */
#define COMPLAINTS         8u
#define COMPLAINT_EVERY_MS 10000u

/* A request that was taken: what has become of it. */
struct slot {
    enum { SLOT_FREE, SLOT_UNDER_WAY, SLOT_UNSENT } state; /* UNSENT: no room for its answer yet */
    enum block_status status;
    uint32_t parts; /* commands under way; one more while it is being cut */
};

struct client {
    struct channel_end end;
    struct share share;
    struct block_area *area;
    bool cutting; /* `request` is not all in commands yet */
    struct request request;
    struct slot slot[BLOCK_IDS];
    unsigned unsent;
};

/* A command that the device has. */
struct command {
    struct client *client; /* NULL: read_sector's */
    uint32_t id;
    uint32_t waited_ms; /* for the device, in whole ticks */
    enum block_op op;
    uint64_t sector;
};

static const struct process_info *process;
static struct disk disk;
static struct gpt gpt;
static struct client clients[PROCESS_CHANNELS];
static unsigned client_count;
static struct client *next_client;
static struct command commands[DISK_DEPTH];
static uint32_t all_tags, free_tags; /* a bit for each */
static bool ticking;                 /* the timer is set */
static uint32_t tick_ms;
static bool own_read_good;
static struct bucket complaints;

/* Commands. */

static void start_ticking(void)
{
    if (ticking)
        return;
    ticking = true;
    gate_timer(gate_tsc() + process->tsc_khz * tick_ms);
}

static bool put_answer(struct client *c, uint32_t id, enum block_status status)
{
    union {
        struct block_answer answer;
        uint8_t bytes[CHANNEL_ENTRY_SIZE];
    } entry = {.answer = {.id = id,
                          .epoch = process->starts,
                          .status = status,
                          .flags = c->share.flags,
                          .value = c->share.sectors}};

    return channel_put(&c->end, &entry);
}

static void end_request(struct client *c, uint32_t id, enum block_status status)
{
    struct slot *slot = &c->slot[id];

    slot->status = status;
    slot->state = put_answer(c, id, status) ? SLOT_FREE : SLOT_UNSENT;
    c->unsent += slot->state == SLOT_UNSENT;
}

static void end_part(struct client *c, uint32_t id)
{
    if (--c->slot[id].parts == 0)
        end_request(c, id, c->slot[id].status);
}

static void complain(enum block_op op, uint64_t sector)
{
    static const char *const words[BLOCK_OP_COUNT] = {
        [BLOCK_READ] = "read",       [BLOCK_WRITE] = "write", [BLOCK_FLUSH] = "flush",
        [BLOCK_DISCARD] = "discard", [BLOCK_ZERO] = "zero",
    };

    if (bucket_take(&complaints, gate_tsc(), process->tsc_khz * COMPLAINT_EVERY_MS, COMPLAINTS))
        log_line("the disk failed: %s at sector %lu", words[op], (unsigned long)sector);
}

static void end_command(struct client *c, uint32_t id, enum block_op op, uint64_t sector, bool good)
{
    if (!good)
        complain(op, sector);
    if (c == NULL) {
        own_read_good = good;
        return;
    }
    if (!good)
        c->slot[id].status = BLOCK_ERROR;
    end_part(c, id);
}

void disk_done(unsigned tag, bool good)
{
    const struct command *command = &commands[tag];

    if (tag >= DISK_DEPTH || !(all_tags & ~free_tags & BIT(tag)))
        return; /* a device that ends what it never got */
    free_tags |= (uint32_t)BIT(tag);
    end_command(command->client, command->id, command->op, command->sector, good);
}

/* There is a free tag. */
static void submit(struct client *client, uint32_t id, const struct disk_command *command)
{
    unsigned tag = (unsigned)set_first(free_tags);
    enum disk_submitted submitted = disk_submit(tag, command);

    if (submitted != DISK_UNDER_WAY) {
        end_command(client, id, command->op, command->sector, submitted == DISK_DONE);
        return;
    }
    free_tags &= ~(uint32_t)BIT(tag);
    commands[tag] =
        (struct command){.client = client, .id = id, .op = command->op, .sector = command->sector};
    start_ticking();
}

/* The device. */

static void tick(void)
{
    bool late = false;

    ticking = false;
    disk_interrupt();
    for (unsigned tag = 0; tag < disk.depth; tag++)
        if (!(free_tags & BIT(tag)))
            late |= (commands[tag].waited_ms += tick_ms) > LATE_MS;
    if (late) {
        log_line("the disk has not answered for %u s, it is reset", LATE_MS / 1000);
        disk_reset();
        for (unsigned tag = 0; tag < disk.depth; tag++)
            disk_done(tag, false);
    }
    if (free_tags != all_tags)
        start_ticking();
}

static void wait(void)
{
    uint64_t events = (uint64_t)gate_wait(), interrupts = EVENT_INTERRUPTS(events);

    if (interrupts) {
        disk_interrupt();
        gate_interrupts_done(interrupts);
    }
    if (events & EVENT_TIMER)
        tick();
}

static const uint8_t *read_sector(uint64_t sector)
{
    uint64_t at = process->dma_size - DISK_SERVER_DMA;
    struct disk_command command = {
        .op = BLOCK_READ,
        .sector = sector,
        .sectors = 1,
        .run_count = 1,
        .runs = {{.physical = process->dma_physical + at, .bytes = BLOCK_SECTOR}},
    };

    submit(NULL, 0, &command);
    while (free_tags != all_tags)
        wait();
    io_fence();
    return own_read_good ? (const uint8_t *)PROCESS_DMA + at : NULL;
}

/* Requests. */

/* Takes the client's next request. False: there is none. */
static bool take(struct client *c)
{
    struct request *r = &c->request;
    enum block_status status;

    if (!channel_get(&c->end, r->entry))
        return false;
    if (r->head.epoch != process->starts)
        return true;
    if (r->head.id >= BLOCK_IDS || c->slot[r->head.id].state != SLOT_FREE) {
        put_answer(c, r->head.id, BLOCK_INVALID); /* without room it has none: no request did */
        return true;
    }
    status = request_check(&r->head, &c->share);
    if (status != BLOCK_DONE || r->head.op == BLOCK_INFO) {
        end_request(c, r->head.id, status);
        return true;
    }
    shared_copy(r->segment, c->area->segment[r->head.id],
                r->head.segment_count * sizeof(r->segment[0]));
    r->sectors = r->at = r->sectors_at = 0;
    c->slot[r->head.id] = (struct slot){.state = SLOT_UNDER_WAY, .status = BLOCK_DONE, .parts = 1};
    c->cutting = true;
    return true;
}

/* Gives the device the next command of the client's request. */
static void cut(struct client *c)
{
    static struct disk_command command;
    uint32_t id = c->request.head.id;
    struct slot *slot = &c->slot[id];
    enum request_part part = request_cut(&c->request, &c->share, &disk, &command);

    if (part == REQUEST_WRONG) {
        slot->status = BLOCK_INVALID;
    } else {
        slot->parts++;
        submit(c, id, &command);
    }
    c->cutting = part == REQUEST_MORE && slot->status == BLOCK_DONE;
    if (!c->cutting)
        end_part(c, id);
}

static void send_unsent(struct client *c)
{
    for (uint32_t id = 0; id < BLOCK_IDS && c->unsent > 0; id++) {
        struct slot *slot = &c->slot[id];

        if (slot->state != SLOT_UNSENT)
            continue;
        if (!put_answer(c, id, slot->status))
            return;
        slot->state = SLOT_FREE;
        c->unsent--;
    }
}

/* A client's turn. False: it had nothing to do. */
static bool turn(struct client *c)
{
    send_unsent(c);
    if (!c->cutting && !take(c))
        return false;
    if (c->cutting)
        cut(c);
    return true;
}

/* Turns, until nobody has something to do. False: that was not reached. */
static bool take_turns(void)
{
    unsigned idle = 0;

    for (unsigned n = 0; n < TURNS; n++) {
        if (idle == client_count)
            return true;
        if (!free_tags)
            return false;
        idle = turn(next_client) ? 0 : idle + 1;
        if (++next_client == clients + client_count)
            next_client = clients;
    }
    return false;
}

static bool all_asleep(void)
{
    for (unsigned i = 0; i < client_count; i++)
        if (!channel_sleep(&clients[i].end))
            return false;
    return true;
}

void serve_turn(void)
{
    bool idle = take_turns();

    for (unsigned i = 0; i < client_count; i++)
        channel_flush(&clients[i].end);
    /* While a command is under way there will be an event, without a client's help. */
    if (idle ? all_asleep() : free_tags != all_tags)
        wait();
    else
        gate_send();
    for (unsigned i = 0; i < client_count; i++)
        channel_awake(&clients[i].end);
}

/* The start. */

/* Reads the partition table, if a channel is about a partition. NULL, or what is wrong. */
static const char *load_table(void)
{
    const char *error;

    if (process->dma_size < DISK_SERVER_DMA)
        return "there is no DMA area to read a partition table";
    error = gpt_load(&gpt, disk.sectors, read_sector);
    if (error)
        log_line("the disk's partition table: %s; make one, or name no partition", error);
    else if (gpt.damage)
        log_line("the disk's partition table: %s; the copy at the disk's end is used, nothing is "
                 "written: repair it, with gdisk",
                 gpt.damage);
    return error ? "the disk has no partition table to find it in" : NULL;
}

static bool is_ours(const struct process_channel *channel)
{
    return channel->server && channel->kind == PLAN_CHANNEL_BLOCK;
}

static void open_client(unsigned n, bool started, const char *table_error)
{
    const struct process_channel *channel = &process->channels[n];
    const uint64_t pages = PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE;
    const uint64_t extents = PROCESS_EXTENT + n * PAGE_SIZE;
    struct client *c = &clients[client_count++];
    const char *label = channel->label[0] ? channel->label : "the whole disk";
    const char *error = NULL;

    *c = (struct client){.area = (struct block_area *)(pages + CHANNEL_AREA)};
    if (started)
        error = share_choose(&c->share, channel, (const struct process_extents *)extents, &disk,
                             &gpt, table_error);
    if (error)
        log_line("%s %s %s: %s", channel->peer, c->share.present ? "may only read" : "does not get",
                 label, error);
    shared_store(&c->area->epoch, process->starts);
    channel_open(&c->end, (void *)pages, n, true);
}

void serve_start(const struct process_info *info)
{
    const char *table_error = NULL;
    bool started, wants_table = false;

    process = info;
    disk = (struct disk){0};
    gpt.count = 0;
    client_count = 0;
    next_client = clients;
    ticking = false;
    tick_ms = info->interrupt_count > 0 ? TICK_MS : POLL_MS;
    started = disk_start(info, &disk);
    if (!started)
        disk.depth = 1; /* for no command: each request is answered at once */
    free_tags = all_tags = (uint32_t)(BIT(disk.depth) - 1);
    for (unsigned n = 0; n < info->channel_count; n++)
        wants_table |= is_ours(&info->channels[n]) && info->channels[n].label[0];
    if (started && wants_table)
        table_error = load_table();
    for (unsigned n = 0; n < info->channel_count; n++)
        if (is_ours(&info->channels[n]))
            open_client(n, started, table_error);
}

_Noreturn void process_main(const struct process_info *info)
{
    serve_start(info);
    for (;;)
        serve_turn();
}
