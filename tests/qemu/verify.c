/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a disk whose driver may die: a process that writes the whole disk, flushes, and reads
 * it back, in one generation after the other, with SLOTS requests under way. What a driver that was
 * started again has not answered is asked again. Its arguments: sectors=N, a multiple of
 * SLOT_SECTORS; and `stalls`: the disk will not answer for a while, which begins when it is read
 * again and again. What has failed is asked again, too.
 *
 * At its end all sectors are of generation LAST, and flushed: look.py looks at them from outside.
 */
#include "abi/block.h"
#include "abi/process.h"
#include "lib/string.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/process.h"

#define SLOTS        16u
#define SLOT_SECTORS (BLOCK_PAGES / SLOTS * 8)
#define FLUSH        SLOTS   /* the slot of a flush */
#define FLUSHES      16u     /* in a generation */
#define STEP         7919u   /* from a request to the next one, in requests: a prime */
#define WAIT_MS      120000u /* for an answer: a disk may be late by 30 s, and then be reset */
#define LAST         0x7777u

static const struct process_info *info;
static struct channel_end channel;
static struct block_area *area;
static struct slot {
    bool busy;
    uint16_t generation;
    struct block_request request;
} slots[SLOTS + 1];
static unsigned starts; /* of the driver, after the first one */
static unsigned failures;
static bool stalls, good = true;

static void wait(void)
{
    channel_flush(&channel);
    gate_timer(gate_tsc() + info->tsc_khz * WAIT_MS);
    if (channel_sleep(&channel) && gate_wait() & (int64_t)EVENT_TIMER) {
        log_line("Bail out! no answer");
        gate_stop(GATE_STOP_FAULT);
    }
    channel_awake(&channel);
}

static uint32_t epoch(void)
{
    return __atomic_load_n(&area->epoch, __ATOMIC_ACQUIRE);
}

static void send(struct slot *slot)
{
    uint8_t entry[CHANNEL_ENTRY_SIZE] = {0};

    slot->request.epoch = epoch();
    memcpy(entry, &slot->request, sizeof(slot->request));
    while (!channel_put(&channel, entry))
        wait();
    channel_flush(&channel);
}

/* Word i of a sector in a generation: client.c's. */
static uint64_t word(uint64_t sector, uint16_t of, unsigned i)
{
    return sector * 0x9e3779b97f4a7c15 + of * 0xbf58476d1ce4e5b9 + i * 0x94d049bb133111eb;
}

static uint64_t *memory(const struct slot *slot)
{
    return (uint64_t *)area->page[slot->request.id * (BLOCK_PAGES / SLOTS)];
}

static void fill(struct slot *slot)
{
    for (unsigned i = 0; i < SLOT_SECTORS * 64; i++)
        memory(slot)[i] = word(slot->request.sector + i / 64, slot->generation, i % 64);
}

static void check(const struct slot *slot)
{
    const struct block_request *r = &slot->request;

    for (unsigned i = 0; r->op == BLOCK_READ && i < SLOT_SECTORS * 64; i++) {
        if (memory(slot)[i] == word(r->sector + i / 64, slot->generation, i % 64))
            continue;
        log_line("# sector %lu is not of generation %u", (unsigned long)r->sector + i / 64,
                 slot->generation);
        good = false;
        return;
    }
}

static void take(struct slot *slot, uint32_t status)
{
    bool again = stalls && status == BLOCK_ERROR;

    failures += again;
    slot->busy = again;
    if (again)
        send(slot);
    else if (status == BLOCK_DONE)
        check(slot);
    else
        good = false;
}

/* Takes what was answered, and asks again what a driver took with it. */
static void look(void)
{
    union {
        struct block_answer head;
        uint8_t bytes[CHANNEL_ENTRY_SIZE];
    } a;
    static uint32_t seen = 1;

    while (channel_get(&channel, &a)) {
        if (a.head.id > FLUSH || !slots[a.head.id].busy ||
            a.head.epoch != slots[a.head.id].request.epoch)
            continue;
        take(&slots[a.head.id], a.head.status);
    }
    starts += epoch() - seen;
    seen = epoch();
    for (struct slot *slot = slots; slot <= &slots[FLUSH]; slot++)
        if (slot->busy && slot->request.epoch != seen)
            send(slot);
}

static void finish(struct slot *slot)
{
    for (look(); slot->busy; look())
        wait();
}

static void finish_all(void)
{
    for (struct slot *slot = slots; slot <= &slots[FLUSH]; slot++)
        finish(slot);
}

static void ask(struct slot *slot, enum block_op op, uint64_t sector, uint16_t generation)
{
    uint64_t at = (uint64_t)(slot - slots) * SLOT_SECTORS * BLOCK_SECTOR;

    finish(slot);
    *slot = (struct slot){.busy = true, .generation = generation};
    slot->request =
        (struct block_request){.id = (uint32_t)(slot - slots), .op = (uint8_t)op, .sector = sector};
    if (op != BLOCK_FLUSH) {
        slot->request.sectors = SLOT_SECTORS;
        slot->request.segment_count = 1;
        area->segment[slot->request.id][0] = BLOCK_SEGMENT(at, SLOT_SECTORS) | BLOCK_SEGMENT_BOUNCE;
    }
    if (op == BLOCK_WRITE)
        fill(slot);
    send(slot);
}

/* The whole disk, in pieces that lie anywhere. */
static void go_over(enum block_op op, uint64_t sectors, uint16_t generation)
{
    uint64_t pieces = sectors / SLOT_SECTORS;

    for (uint64_t i = 0; i < pieces; i++) {
        ask(&slots[i % SLOTS], op, i * STEP % pieces * SLOT_SECTORS, generation);
        if (op != BLOCK_WRITE || (i + 1) % (pieces / FLUSHES) != 0)
            continue;
        finish_all();
        ask(&slots[FLUSH], BLOCK_FLUSH, 0, 0);
        finish_all();
    }
    finish_all();
}

/* The number of sectors; and whether it stalls. */
static uint64_t read_arguments(void)
{
    const char *at = info->arguments + strlen("sectors=");
    uint64_t value = 0;

    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    stalls = strcmp(at, " stalls") == 0;
    return value;
}

/* Until the disk has not answered, and been reset. */
static void meet_stall(uint64_t sectors, uint16_t generation)
{
    log_line("# it may stall now");
    while (failures == 0) {
        go_over(BLOCK_READ, sectors, generation);
        go_over(BLOCK_WRITE, sectors, generation);
    }
}

_Noreturn void process_main(const struct process_info *process)
{
    uint64_t sectors;

    info = process;
    sectors = read_arguments();
    channel_open(&channel, (void *)PROCESS_CHANNEL, 0, false);
    area = (struct block_area *)(PROCESS_CHANNEL + CHANNEL_AREA);
    while (epoch() == 0)
        wait();
    for (uint16_t generation = LAST - 1; generation <= LAST; generation++) {
        go_over(BLOCK_WRITE, sectors, generation);
        if (stalls && failures == 0)
            meet_stall(sectors, generation);
        go_over(BLOCK_READ, sectors, generation);
    }
    log_line("%sok 1 - all that was written and flushed, twice, is read again", good ? "" : "not ");
    if (stalls)
        log_line("%sok 2 - the driver lives, and told of what had no answer",
                 failures > 0 && starts == 0 ? "" : "not ");
    else
        log_line("%sok 2 - its driver was started again", starts > 0 ? "" : "not ");
    log_line("# %u times, %u requests failed", starts, failures);
    log_line("1..2");
    gate_stop(GATE_STOP_POWER_OFF);
}
