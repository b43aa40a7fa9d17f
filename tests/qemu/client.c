/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a disk: a process that writes, reads back, flushes, asks for what is not allowed, and
 * says in TAP, in the log, what came of it. It has no memory that the disk reaches but the
 * channel's bounce pages. Its arguments, each a WORD=NUMBER:
 *
 *   sectors  how many the disk has
 *   bad      a sector that cannot be read, of the first STRIPES * STRIPE; without it, all can
 *   unwritable  one that cannot be written; then nothing can be flushed, either
 *
 * At its end these sectors are of generation LAST, and flushed: gpt.py looks at them from outside.
 */
#include "abi/block.h"
#include "abi/process.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "runtime/process.h"
#include "tests/qemu/tap.h"

#define STRIPES  32u                /* requests at once, each with memory and sectors of its own */
#define STRIPE   256u               /* sectors of a stripe */
#define ROOM     16u                /* sectors of its memory */
#define LARGE    (BLOCK_PAGES * 8u) /* sectors of the largest request */
#define REQUESTS 3000u
#define WAIT_MS  20000u  /* for an answer */
#define UNKNOWN  0xffffu /* a generation: what a discard leaves */
#define LAST     0x7777u
#define NEVER    UINT64_MAX

#define BOUNCE(at, sectors) (BLOCK_SEGMENT((at) * BLOCK_SECTOR, sectors) | BLOCK_SEGMENT_BOUNCE)

union request {
    struct block_request head;
    uint8_t entry[CHANNEL_ENTRY_SIZE];
};

union answer {
    struct block_answer head;
    uint8_t entry[CHANNEL_ENTRY_SIZE];
};

static const struct process_info *info;
static struct channel_end channel;
static struct block_area *area;
static uint64_t disk_sectors, bad, unwritable;
static uint32_t disk_flags;
static uint16_t generation[STRIPES * STRIPE];
static union request under_way[BLOCK_IDS];

static uint32_t random(uint32_t below)
{
    static uint32_t seed = 1;

    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

/* The number behind WORD= in the arguments, or NEVER. */
static uint64_t argument(const char *word)
{
    size_t length = strlen(word);
    uint64_t value = 0;

    for (const char *at = info->arguments; *at != 0; at++) {
        if (strncmp(at, word, length) != 0 || at[length] != '=')
            continue;
        for (at += length + 1; *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        return value;
    }
    return NEVER;
}

/* Word i of a sector in a generation; 0 is of zeros. */
static uint64_t word(uint64_t sector, uint16_t of, unsigned i)
{
    return of == 0 ? 0
                   : sector * 0x9e3779b97f4a7c15 + of * 0xbf58476d1ce4e5b9 + i * 0x94d049bb133111eb;
}

/* Waits for an event, but not for ever. */
static void wait(void)
{
    gate_timer(gate_tsc() + info->tsc_khz * WAIT_MS);
    if (gate_wait() & (int64_t)EVENT_TIMER)
        bail_out("no answer");
    gate_timer(UINT64_MAX);
}

static void put(const union request *request)
{
    if (!channel_put(&channel, request))
        bail_out("the ring is full");
}

static union answer get(void)
{
    union answer answer;

    while (!channel_get(&channel, &answer)) {
        channel_flush(&channel);
        if (channel_sleep(&channel))
            wait();
        channel_awake(&channel);
    }
    return answer;
}

/* One request, alone; its status. */
static uint32_t ask(const union request *request)
{
    union answer answer;

    put(request);
    answer = get();
    return answer.head.id == request->head.id ? answer.head.status : UINT32_MAX;
}

static union request make(uint32_t id, enum block_op op, uint64_t sector, uint32_t sectors)
{
    return (union request){.head = {.id = id,
                                    .epoch = area->epoch,
                                    .op = (uint8_t)op,
                                    .sectors = sectors,
                                    .sector = sector}};
}

/* Appends a segment of bounce memory, by its first sector there. */
static void segment(union request *r, uint32_t at, uint32_t sectors)
{
    area->segment[r->head.id][r->head.segment_count++] = BOUNCE(at, sectors);
}

/* Fills, or checks, one sector in bounce memory. */
static void fill(uint32_t at, uint64_t sector, uint16_t of)
{
    uint64_t *words = (uint64_t *)(area->page[0] + at * BLOCK_SECTOR);

    for (unsigned i = 0; i < BLOCK_SECTOR / 8; i++)
        words[i] = word(sector, of, i);
}

static bool is(uint32_t at, uint64_t sector, uint16_t of)
{
    const uint64_t *words = (const uint64_t *)(area->page[0] + at * BLOCK_SECTOR);

    for (unsigned i = 0; i < BLOCK_SECTOR / 8; i++)
        if (words[i] != word(sector, of, i))
            return false;
    return true;
}

/* Large requests over all stripes: writes them in a generation, or reads them. */
static bool all(enum block_op op, uint16_t of)
{
    bool good = true;

    for (uint64_t sector = 0; sector < STRIPES * STRIPE; sector += LARGE) {
        union request r = make(1, op, sector, LARGE);
        for (uint32_t page = 0; page < BLOCK_PAGES; page++)
            segment(&r, page * 8, 8);
        for (uint32_t i = 0; i < LARGE; i++)
            fill(i, sector + i, op == BLOCK_WRITE ? of : (uint16_t)~of);
        good = ask(&r) == BLOCK_DONE && good;
        for (uint32_t i = 0; i < LARGE; i++) {
            good = is(i, sector + i, of) && good;
            generation[sector + i] = of;
        }
    }
    return good;
}

/* What becomes of a flush. */
static uint32_t flushed(void)
{
    return unwritable == NEVER ? BLOCK_DONE : BLOCK_ERROR;
}

static bool flush(void)
{
    union request r = make(0, BLOCK_FLUSH, 0, 0);

    return ask(&r) == flushed();
}

/* Sends a request of any kind about a stripe: its own sectors, its own memory, in any pieces. */
static void send(uint32_t id)
{
    static const uint8_t ops[] = {BLOCK_READ,  BLOCK_READ,    BLOCK_WRITE, BLOCK_WRITE,
                                  BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_ZERO};
    enum block_op op = ops[random(ARRAY_SIZE(ops))];
    uint32_t sectors = 1 + random(ROOM), at = id * ROOM, done = 0;
    uint64_t sector = id * STRIPE + random(STRIPE - sectors + 1);

    if ((op == BLOCK_DISCARD && !(disk_flags & BLOCK_CAN_DISCARD)) ||
        (op == BLOCK_ZERO && !(disk_flags & BLOCK_CAN_ZERO)))
        op = BLOCK_READ;
    under_way[id] = op == BLOCK_FLUSH ? make(id, op, 0, 0) : make(id, op, sector, sectors);
    while ((op == BLOCK_READ || op == BLOCK_WRITE) && done < sectors) {
        uint32_t some = 1 + random(sectors - done);
        /* either where the last segment ended, or as far behind as there is room */
        uint32_t gap = random(2) == 0 ? random(id * ROOM + ROOM - at - (sectors - done) + 1) : 0;
        at += gap;
        segment(&under_way[id], at, some);
        for (; some > 0; some--, done++, at++)
            fill(at, sector + done,
                 op == BLOCK_WRITE ? (uint16_t)(generation[sector + done] + 1) : 1);
    }
    put(&under_way[id]);
}

/* Whether a request must fail. */
static bool must_fail(const struct block_request *r)
{
    uint64_t sector = r->op == BLOCK_READ ? bad : r->op == BLOCK_WRITE ? unwritable : NEVER;

    return (r->op == BLOCK_FLUSH && unwritable != NEVER) ||
           (sector >= r->sector && sector < r->sector + r->sectors);
}

static void forget(uint64_t first, uint64_t sectors)
{
    for (uint64_t i = first; i < first + sectors; i++)
        generation[i] = UNKNOWN;
}

/* What must be true when a request has ended. */
static bool check(uint32_t id, uint32_t status)
{
    const struct block_request *r = &under_way[id].head;
    uint32_t done = 0;
    bool good = true;

    if (must_fail(r)) {
        if (r->op == BLOCK_WRITE) /* what of it was written is not said */
            forget(r->sector, r->sectors);
        return status == BLOCK_ERROR;
    }
    for (unsigned i = 0; i < r->segment_count; i++) {
        uint64_t segment = area->segment[id][i];
        uint32_t at = (uint32_t)(BLOCK_SEGMENT_ADDRESS(segment) / BLOCK_SECTOR);
        for (uint32_t left = BLOCK_SEGMENT_SECTORS(segment); left > 0; left--, at++, done++) {
            uint16_t *of = &generation[r->sector + done];
            if (r->op == BLOCK_WRITE)
                (*of)++;
            good = (*of == UNKNOWN || is(at, r->sector + done, *of)) && good;
        }
    }
    for (uint32_t i = 0; (r->op == BLOCK_ZERO || r->op == BLOCK_DISCARD) && i < r->sectors; i++)
        generation[r->sector + i] = r->op == BLOCK_ZERO ? 0 : UNKNOWN;
    return status == BLOCK_DONE && good;
}

/* Requests in random order, as many at once as there are stripes. */
static void random_requests(void)
{
    bool good = true;
    uint64_t begin = gate_tsc();

    for (uint32_t id = 0; id < STRIPES; id++)
        send(id);
    for (unsigned i = STRIPES; i < REQUESTS + STRIPES; i++) {
        union answer answer = get();
        if (answer.head.id >= STRIPES)
            bail_out("an answer without a request");
        good = check(answer.head.id, answer.head.status) && good;
        if (i < REQUESTS)
            send(answer.head.id);
    }
    ok(good, "requests of all kinds and shapes, 32 at once, do what they say");
    log_line("# %u requests took %u ms", REQUESTS,
             (unsigned)((gate_tsc() - begin) / info->tsc_khz));
}

/* A request that is not allowed, made by one of the rows, and what the answer says. */
static const struct hostile {
    const char *name;
    enum block_op op;
    uint64_t sector; /* from the disk's end */
    uint32_t sectors, id;
    uint16_t reserved;
    uint8_t segment_count;
    uint64_t segment[2];
} hostile[] = {
    {"behind the end", BLOCK_READ, 0, 1, 0, 0, 1, {BOUNCE(0, 1)}},
    {"over the end", BLOCK_WRITE, -1ULL, 2, 0, 0, 1, {BOUNCE(0, 2)}},
    {"at the end of all numbers", BLOCK_READ, 1ULL << 63, 1, 0, 0, 1, {BOUNCE(0, 1)}},
    {"of no sectors", BLOCK_READ, -8ULL, 0, 0, 0, 0, {0}},
    {"of more sectors than memory", BLOCK_READ, -8ULL, 2, 0, 0, 1, {BOUNCE(0, 1)}},
    {"of more memory than sectors", BLOCK_READ, -8ULL, 1, 0, 0, 1, {BOUNCE(0, 2)}},
    {"of an empty segment", BLOCK_READ, -8ULL, 1, 0, 0, 2, {BOUNCE(0, 1), BOUNCE(1, 0)}},
    {"of too many segments", BLOCK_READ, -8ULL, 1, 0, 0, 255, {BOUNCE(0, 1)}},
    {"into memory behind the channel's", BLOCK_READ, -8ULL, 1, 0, 0, 1, {BOUNCE(LARGE, 1)}},
    {"into memory over the channel's end", BLOCK_READ, -8ULL, 2, 0, 0, 1, {BOUNCE(LARGE - 1, 2)}},
    {"into memory at the end of all addresses", BLOCK_READ, -8ULL, 1, 0, 0, 1, {~0xffffULL | 1}},
    {"into a guest's memory", BLOCK_READ, -8ULL, 1, 0, 0, 1, {BLOCK_SEGMENT(0, 1)}},
    {"from high memory", BLOCK_WRITE, -8ULL, 1, 0, 0, 1, {BLOCK_SEGMENT(1ULL << 40, 1)}},
    {"of no operation", BLOCK_OP_COUNT, -8ULL, 1, 0, 0, 1, {BOUNCE(0, 1)}},
    {"of another operation", 255, -8ULL, 1, 0, 0, 0, {0}},
    {"with what is reserved", BLOCK_READ, -8ULL, 1, 0, 1, 1, {BOUNCE(0, 1)}},
    {"to flush memory", BLOCK_FLUSH, 0, 0, 0, 0, 1, {BOUNCE(0, 1)}},
    {"beyond the numbers", BLOCK_READ, -8ULL, 1, BLOCK_IDS, 0, 1, {BOUNCE(0, 1)}},
    {"of the last number", BLOCK_READ, -8ULL, 1, UINT32_MAX, 0, 1, {BOUNCE(0, 1)}},
};

static void hostile_requests(void)
{
    bool good = true;

    for (unsigned i = 0; i < ARRAY_SIZE(hostile); i++) {
        const struct hostile *h = &hostile[i];
        union request r = make(h->id, h->op, disk_sectors + h->sector, h->sectors);
        r.head.reserved = h->reserved;
        r.head.segment_count = h->segment_count;
        if (h->id < BLOCK_IDS)
            memcpy(area->segment[h->id], h->segment, sizeof(h->segment));
        uint32_t status = ask(&r);
        if (status == BLOCK_INVALID)
            continue;
        log_line("# a request %s: status %u", h->name, status);
        good = false;
    }
    ok(good, "what is not allowed is told to be invalid");
}

/* A request of another epoch has no answer; one whose number is under way is invalid; positions of
 * the ring that make no sense change nothing. */
static void hostile_ring(void)
{
    union request r = make(3, BLOCK_FLUSH, 0, 0);
    struct channel_ring *ring = channel.out;
    uint32_t tail;
    unsigned done = 0, invalid = 0;

    r.head.epoch++;
    put(&r);
    ok(flush(), "a request of another epoch has no answer");

    for (unsigned i = 0; i < 8; i++) {
        r = make(3, BLOCK_FLUSH, 0, 0);
        put(&r);
    }
    for (unsigned i = 0; i < 8; i++) {
        uint32_t status = get().head.status;
        done += status == flushed();
        invalid += status == BLOCK_INVALID;
    }
    ok(done >= 1 && done + invalid == 8, "of requests with one number each has an answer");

    tail = ring->tail;
    __atomic_store_n(&ring->tail, tail + 1000, __ATOMIC_SEQ_CST);
    gate_notify(channel.number);
    gate_timer(gate_tsc() + info->tsc_khz * 20);
    while (!(gate_wait() & (int64_t)EVENT_TIMER))
        ;
    __atomic_store_n(&ring->tail, tail, __ATOMIC_SEQ_CST);
    ok(flush(), "positions of the ring that make no sense are nothing");
}

/* The first answer of all: what the disk is. */
static void ask_info(void)
{
    union request r = make(5, BLOCK_INFO, 0, 0);
    union answer answer;

    put(&r);
    answer = get();
    disk_sectors = answer.head.value;
    disk_flags = answer.head.flags;
    log_line("# %u sectors, flags %x", (unsigned)disk_sectors, disk_flags);
    ok(answer.head.status == BLOCK_DONE && answer.head.id == 5 &&
           disk_sectors == argument("sectors") && (disk_flags & BLOCK_CAN_WRITE),
       "there is a disk of this size");
}

/* The last sectors, alone: all but the stripes is as it was. */
static void edges(void)
{
    union request r = make(2, BLOCK_WRITE, disk_sectors - 1, 1);
    bool good;

    segment(&r, 0, 1);
    fill(0, disk_sectors - 1, LAST);
    good = ask(&r) == BLOCK_DONE;
    fill(0, 0, 1);
    r.head.op = BLOCK_READ;
    ok(ask(&r) == BLOCK_DONE && is(0, disk_sectors - 1, LAST) && good, "the last sector is one");
}

/* How long one page takes, from a request to its answer. */
static void latency(void)
{
    uint64_t begin = gate_tsc();

    for (unsigned i = 0; i < 500; i++) {
        union request r = make(0, BLOCK_READ, STRIPE * random(STRIPES), 8);
        segment(&r, 0, 8);
        ask(&r);
    }
    log_line("# one page takes %u us",
             (unsigned)((gate_tsc() - begin) * 1000 / info->tsc_khz / 500));
}

/* Which channel is the disk's, and its server, once that is there. */
static void open(void)
{
    unsigned n = 0;

    while (n < info->channel_count && info->channels[n].kind != PLAN_CHANNEL_BLOCK)
        n++;
    if (n == info->channel_count || info->channels[n].server)
        bail_out("no disk was granted");
    channel_open(&channel, (void *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE), n, false);
    area = (struct block_area *)(PROCESS_CHANNEL + n * PROCESS_CHANNEL_STRIDE + CHANNEL_AREA);
    while (__atomic_load_n(&area->epoch, __ATOMIC_ACQUIRE) == 0)
        wait();
}

_Noreturn void process_main(const struct process_info *process)
{
    info = process;
    bad = argument("bad");
    unwritable = argument("unwritable");
    open();
    ask_info();
    if (bad == NEVER && unwritable == NEVER) {
        ok(all(BLOCK_WRITE, 1), "what is written is taken");
        ok(flush(), "a flush is answered");
        ok(all(BLOCK_READ, 1), "what was written is read");
        edges();
    } else {
        ok(!all(bad != NEVER ? BLOCK_READ : BLOCK_WRITE, 0),
           "a sector that cannot be read, or written, is told");
        forget(0, ARRAY_SIZE(generation));
    }
    random_requests();
    hostile_requests();
    hostile_ring();
    latency();
    ok(all(BLOCK_WRITE, LAST) == (unwritable == NEVER) &&
           (bad != NEVER || unwritable != NEVER || all(BLOCK_READ, LAST)) && flush(),
       "after all of that the disk keeps what it is given");
    plan();
}
