/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In a monitor's place: a client of a disk, without a guest. The VM's command line says what it
 * does, and the log what came of it, in a line that begins with "ok" or "not ok".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/block.h"
#include "abi/gate.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/process.h"

#define SLOTS        16u
#define SLOT_SECTORS 128u /* of memory that each request has */
#define HOSTILE_MS   2000u
#define SHORTENED_MS 600000u /* until the disk's file has become shorter */
#define BAD_FIRST    20u     /* sectors that fail: as in disk_ata.sh */
#define BAD_COUNT    8u
#define BAD_END      64u   /* sectors that are tried for it */
#define LIFE         4000u /* turns that one who dies has at most */

static struct channel_end end;
static struct block_area *area;
static uint64_t tsc_khz;
static uint64_t chance = 0x9e3779b97f4a7c15ULL;

/* Requests under way, each with its place in the guest's memory or in bounce pages. */
static struct slot {
    bool busy;
    bool bounce;
    struct block_request request;
    enum block_status status;
    uint64_t value;
    uint32_t flags;
} slots[SLOTS];

static bool bounces;    /* the disk takes nothing else */
static unsigned starts; /* of the driver that were noticed, after the first */
static unsigned failures;

static uint32_t below(uint32_t limit)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (uint32_t)(chance >> 32) % limit;
}

static _Noreturn void done(bool good, const char *what)
{
    log_line("%sok %s; the driver was started again %u times", good ? "" : "not ", what, starts);
    log_stop(GATE_STOP_POWER_OFF, "done");
}

static uint64_t guest_address(unsigned s)
{
    return 0x100000 + s * SLOT_SECTORS * BLOCK_SECTOR;
}

static uint8_t *memory(unsigned s)
{
    return slots[s].bounce ? area->page[s * BLOCK_PAGES / SLOTS]
                           : (uint8_t *)MONITOR_MEMORY + guest_address(s);
}

/* Segments of all sizes, in the guest's memory or in the slot's bounce pages. */
static void send(unsigned s)
{
    struct block_request *r = &slots[s].request;
    uint8_t entry[CHANNEL_ENTRY_SIZE] = {0};
    uint64_t at = slots[s].bounce ? s * (BLOCK_PAGES / SLOTS) * PAGE_SIZE : guest_address(s);
    uint32_t left = r->op == BLOCK_READ || r->op == BLOCK_WRITE ? r->sectors : 0;

    r->epoch = __atomic_load_n(&area->epoch, __ATOMIC_ACQUIRE);
    for (r->segment_count = 0; left > 0; r->segment_count++) {
        uint32_t sectors = r->segment_count == BLOCK_SEGMENTS - 1 ? left : 1 + below(left);

        area->segment[r->id][r->segment_count] =
            BLOCK_SEGMENT(at, sectors) | (slots[s].bounce ? BLOCK_SEGMENT_BOUNCE : 0);
        at += sectors * BLOCK_SECTOR;
        left -= sectors;
    }
    memcpy(entry, r, sizeof(*r));
    while (!channel_put(&end, entry))
        ;
    channel_flush(&end);
    gate_send();
}

/* Takes answers; what a driver that was started again has not answered is sent again. */
static void poll(void)
{
    uint8_t entry[CHANNEL_ENTRY_SIZE];
    struct block_answer a;

    while (channel_get(&end, entry)) {
        memcpy(&a, entry, sizeof(a));
        if (a.id >= SLOTS || !slots[a.id].busy || slots[a.id].request.epoch != a.epoch)
            continue;
        slots[a.id].busy = false;
        slots[a.id].status = (enum block_status)a.status;
        slots[a.id].value = a.value;
        slots[a.id].flags = a.flags;
    }
    channel_flush(&end);
    gate_send();
    for (unsigned s = 0, again = 0; s < SLOTS; s++) {
        if (!slots[s].busy ||
            slots[s].request.epoch == __atomic_load_n(&area->epoch, __ATOMIC_ACQUIRE))
            continue;
        starts += again++ == 0;
        send(s);
    }
}

static void start(unsigned s, enum block_op op, uint64_t sector, uint32_t sectors, bool bounce)
{
    slots[s].busy = true;
    slots[s].bounce = bounce;
    slots[s].request =
        (struct block_request){.id = s, .op = (uint8_t)op, .sectors = sectors, .sector = sector};
    send(s);
}

static void wait_for(unsigned s)
{
    while (slots[s].busy)
        poll();
}

static enum block_status ask(enum block_op op, uint64_t sector, uint32_t sectors)
{
    start(0, op, sector, sectors, bounces);
    wait_for(0);
    return slots[0].status;
}

/* What belongs into a sector. */
static uint32_t word_of(uint64_t sector, unsigned i)
{
    return (uint32_t)(sector * 0x9e3779b1u + i * 0x85ebca6bu) ^ 0x5eed;
}

static void fill(unsigned s, uint64_t sector, uint32_t sectors)
{
    uint32_t *words = (uint32_t *)memory(s);

    for (unsigned i = 0; i < sectors * BLOCK_SECTOR / 4; i++)
        words[i] = word_of(sector + i / 128, i % 128);
}

static void check(unsigned s)
{
    const struct slot *slot = &slots[s];
    const uint32_t *words = (const uint32_t *)memory(s);

    if (slot->status != BLOCK_DONE)
        failures++;
    for (unsigned i = 0; slot->request.op == BLOCK_READ && i < slot->request.sectors * 128; i++) {
        if (words[i] != word_of(slot->request.sector + i / 128, i % 128)) {
            failures++;
            return;
        }
    }
}

static uint64_t size_of_disk(void)
{
    if (ask(BLOCK_INFO, 0, 0) != BLOCK_DONE)
        done(false, "the disk says what it is");
    bounces = slots[0].flags & BLOCK_NEEDS_BOUNCE;
    return slots[0].value;
}

/* The whole disk, with as much under way as there are slots. */
static void go_over(enum block_op op)
{
    uint64_t size = size_of_disk(), sector = 0;

    for (unsigned s = 0; s < SLOTS; s++)
        slots[s].request.sectors = 0;
    for (unsigned s = 0; sector < size; s = (s + 1) % SLOTS) {
        bool bounce = bounces || below(4) == 0;
        uint32_t most = bounce ? BLOCK_PAGES / SLOTS * 8 : SLOT_SECTORS;
        uint32_t sectors = 1 + below((uint32_t)min_u64(most, size - sector));

        wait_for(s);
        if (slots[s].request.sectors > 0)
            check(s);
        slots[s].bounce = bounce;
        if (op == BLOCK_WRITE)
            fill(s, sector, sectors);
        start(s, op, sector, sectors, bounce);
        sector += sectors;
    }
    for (unsigned s = 0; s < SLOTS; s++) {
        wait_for(s);
        if (slots[s].request.sectors > 0)
            check(s);
    }
}

static void write_all(void)
{
    go_over(BLOCK_WRITE);
    failures += ask(BLOCK_FLUSH, 0, 0) != BLOCK_DONE;
    go_over(BLOCK_READ);
    done(failures == 0, "all that was written was flushed and read again");
}

static void read_all(void)
{
    go_over(BLOCK_READ);
    done(failures == 0, "all that was written is there");
}

static void be_refused(void)
{
    bool good = size_of_disk() > 0 && !(slots[0].flags & BLOCK_CAN_WRITE);

    good &= ask(BLOCK_WRITE, 0, 1) == BLOCK_REFUSED && ask(BLOCK_READ, 0, 1) == BLOCK_DONE;
    done(good, "the disk may be read and not written");
}

static void have_none(void)
{
    done(ask(BLOCK_INFO, 0, 0) == BLOCK_NO_DEVICE && ask(BLOCK_READ, 0, 1) == BLOCK_NO_DEVICE,
         "there is no disk");
}

/* The last sector fails when the file has become shorter, and the first one does not. */
static void find_shorter(void)
{
    uint64_t last = size_of_disk() - 1, until = gate_tsc() + tsc_khz * SHORTENED_MS;

    while (ask(BLOCK_READ, last, 1) == BLOCK_DONE && gate_tsc() < until)
        ;
    done(ask(BLOCK_READ, last, 1) == BLOCK_ERROR && ask(BLOCK_READ, 0, 1) == BLOCK_DONE &&
             ask(BLOCK_FLUSH, 0, 0) == BLOCK_DONE,
         "the disk's error is an error, and it goes on");
}

/* Sectors that fail: who asks for one of them hears so, and nobody else. */
static void find_bad(void)
{
    bool told = size_of_disk() > BAD_END;

    for (uint64_t sector = 0; sector < BAD_END; sector++) {
        bool bad = sector >= BAD_FIRST && sector < BAD_FIRST + BAD_COUNT;
        enum block_status expected = bad ? BLOCK_ERROR : BLOCK_DONE;

        fill(0, sector, 1);
        told &= ask(BLOCK_WRITE, sector, 1) == expected && ask(BLOCK_READ, sector, 1) == expected;
        if (!bad)
            check(0);
    }
    told &= ask(BLOCK_READ, 0, BAD_END) == BLOCK_ERROR;
    told &= ask(BLOCK_READ, BAD_FIRST + BAD_COUNT - 1, 2) == BLOCK_ERROR;
    told &= ask(BLOCK_FLUSH, 0, 0) == BLOCK_DONE;
    done(told && failures == 0, "what fails is told, and only that");
}

/* Reads and writes anywhere, and dies meanwhile. */
static void die(void)
{
    uint64_t size = size_of_disk();

    for (unsigned turn = 1 + below(LIFE); turn > 0; turn--) {
        unsigned s = below(SLOTS);
        uint64_t sector = below((uint32_t)size - SLOT_SECTORS);

        poll();
        if (slots[s].busy)
            continue;
        slots[s].bounce = false;
        fill(s, sector, SLOT_SECTORS);
        start(s, below(4) ? BLOCK_WRITE : BLOCK_READ, sector, SLOT_SECTORS, false);
    }
    __builtin_trap();
}

/* Each sector is as one who died wrote it, or as it was before. */
static void find_remains(void)
{
    uint64_t size = size_of_disk();
    const uint32_t *words = (const uint32_t *)memory(0);
    unsigned written = 0, torn = 0;

    for (uint64_t sector = 0; sector < size; sector += SLOT_SECTORS) {
        failures += ask(BLOCK_READ, sector, SLOT_SECTORS) != BLOCK_DONE;
        for (unsigned n = 0; n < SLOT_SECTORS; n++) {
            bool was_written = words[n * 128] != 0;

            written += was_written;
            for (unsigned i = 0; i < 128; i++)
                torn += words[n * 128 + i] != (was_written ? word_of(sector + n, i) : 0);
        }
    }
    done(failures + torn == 0 && written > 0 && written < size,
         "each sector is as it was written or was");
}

/* Writes anything over its channel, for a while. */
static void be_hostile(void)
{
    uint64_t until = gate_tsc() + tsc_khz * HOSTILE_MS;
    struct channel_ring *ring = end.out;
    unsigned answers = 0;

    while (gate_tsc() < until) {
        struct block_request r = {.id = below(66),
                                  .epoch = area->epoch - (below(8) == 0),
                                  .op = (uint8_t)below(BLOCK_OP_COUNT + 1),
                                  .segment_count = (uint8_t)below(below(8) ? 4 : 256),
                                  .sectors = below(12),
                                  .sector = below(4) ? below(9000) : chance};

        for (unsigned i = 0; i < 4; i++)
            area->segment[r.id % BLOCK_IDS][i] =
                below(4) ? BLOCK_SEGMENT(below(0x900000), below(5)) : chance;
        memcpy(ring->entry[ring->tail % CHANNEL_ENTRIES], &r, sizeof(r));
        ring->tail = below(64) ? ring->tail + 1 : below(8) ? ring->head : (uint32_t)chance;
        end.in->head = end.in->tail;
        if (below(16) == 0) {
            gate_notify(end.number);
            gate_send();
        }
        answers += end.in->tail != end.tail;
    }
    done(answers > 0, "it was hostile, and had answers");
}

/* The disk's: there is one to the console, too. */
static void open_channel(const struct process_info *info)
{
    uint32_t n = 0;

    while (n < info->channel_count && info->channels[n].kind != PLAN_CHANNEL_BLOCK)
        n++;
    channel_open(&end, (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE), n, false);
    area = (struct block_area *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE + CHANNEL_AREA);
}

static const struct {
    const char *name;
    void (*act)(void);
} roles[] = {
    {"write", write_all}, {"read", read_all},        {"refused", be_refused},
    {"none", have_none},  {"shorter", find_shorter}, {"errors", find_bad},
    {"dies", die},        {"remains", find_remains}, {"hostile", be_hostile},
};

_Noreturn void process_main(const struct process_info *info)
{
    const struct monitor_info *vm = (const struct monitor_info *)MONITOR_INFO;

    tsc_khz = info->tsc_khz;
    for (const char *c = info->name; *c != '\0'; c++)
        chance = chance * 31 + (uint64_t)*c;
    open_channel(info);
    while (__atomic_load_n(&area->epoch, __ATOMIC_ACQUIRE) == 0)
        ;
    for (unsigned i = 0; i < ARRAY_SIZE(roles); i++)
        if (strcmp(roles[i].name, vm->cmdline) == 0)
            roles[i].act();
    done(false, "the command line names what a client does");
}
