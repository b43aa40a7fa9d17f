/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of a disk: see disk.h. */
#include "monitor/disk.h"

#include "lib/bits.h"
#include "monitor/gate.h"

#define MAX_SECTORS 0xffffu /* of a segment */
#define STEP        100000u /* of the TSC */

static bool moves_data(const struct disk_request *r)
{
    return r->op == BLOCK_READ || r->op == BLOCK_WRITE;
}

/* A round. */

/* Where a request's bytes go on. */
struct cursor {
    const struct guest_piece *piece;
    uint64_t offset; /* in it */
};

static void advance(struct cursor *c, uint64_t bytes)
{
    for (c->offset += bytes; c->offset > 0 && c->offset >= c->piece->size; c->piece++)
        c->offset -= c->piece->size;
}

/* How many bytes from here on the device can reach by itself. */
static uint64_t direct(const struct disk *d, const struct cursor *c, uint64_t left)
{
    uint64_t here = min_u64(c->piece->size - c->offset, left);

    if (d->flags & BLOCK_NEEDS_BOUNCE || !is_aligned(c->piece->address + c->offset, BLOCK_SECTOR))
        return 0;
    return align_down(min_u64(here, MAX_SECTORS * BLOCK_SECTOR), BLOCK_SECTOR);
}

/* The next bytes through a page, and the segment; how many, 0: there is no page, or the round has
 * its share. */
static uint64_t bounce(struct disk *d, struct disk_request *r, uint64_t at, uint64_t left,
                       uint64_t *segment)
{
    uint32_t size = (uint32_t)min_u64(left, sizeof(d->area->page[0]));

    if (r->bounce_count == DISK_BOUNCES || ~d->pages == 0)
        return 0;
    uint64_t page = set_first(~d->pages);

    r->bounces[r->bounce_count++] = (struct disk_bounce){at, size, (uint8_t)page};
    d->pages |= BIT(page);
    if (r->op == BLOCK_WRITE)
        guest_pieces_read(d->memory, r->pieces, r->piece_count, at, d->area->page[page], size);
    *segment =
        BLOCK_SEGMENT(page * sizeof(d->area->page[0]), size / BLOCK_SECTOR) | BLOCK_SEGMENT_BOUNCE;
    return size;
}

/* Fills the segments of the next round; how many there are. */
static unsigned fill(struct disk *d, struct disk_request *r)
{
    uint64_t *segment = d->area->segment[r->id];
    uint64_t at = r->start + r->done, left = r->size - r->done;
    struct cursor c = {r->pieces, 0};
    unsigned count = 0;

    advance(&c, at);
    while (left > 0 && count < BLOCK_SEGMENTS) {
        uint64_t size = direct(d, &c, left);

        if (size > 0)
            segment[count] = BLOCK_SEGMENT(c.piece->address + c.offset, size / BLOCK_SECTOR);
        else if ((size = bounce(d, r, at, left, &segment[count])) == 0)
            break;
        count++;
        at += size;
        left -= size;
        if (left > 0)
            advance(&c, size);
    }
    r->round = r->size - r->done - left;
    return count;
}

/* The round is over: what was read is copied to where it belongs. */
static void empty(struct disk *d, struct disk_request *r, bool good)
{
    for (unsigned i = 0; i < r->bounce_count; i++) {
        const struct disk_bounce *b = &r->bounces[i];

        if (good && r->op == BLOCK_READ)
            guest_pieces_write(d->memory, r->pieces, r->piece_count, b->at, d->area->page[b->page],
                               b->size);
        d->pages &= ~BIT(b->page);
    }
    r->bounce_count = 0;
}

/* False: no bounce page is free, or the ring is full. It goes on waiting. */
static bool send(struct disk *d, struct disk_request *r)
{
    union {
        struct block_request request;
        uint8_t bytes[CHANNEL_ENTRY_SIZE];
    } entry = {.request = {.id = r->id,
                           .epoch = d->epoch,
                           .op = (uint8_t)r->op,
                           .sectors = r->sectors,
                           .sector = r->sector}};

    if (moves_data(r)) {
        entry.request.segment_count = (uint8_t)fill(d, r);
        entry.request.sectors = (uint32_t)(r->round / BLOCK_SECTOR);
        entry.request.sector += r->done / BLOCK_SECTOR;
    }
    if ((moves_data(r) && r->round == 0) || !channel_put(&d->channel, &entry)) {
        empty(d, r, false);
        return false;
    }
    d->waiting &= ~r->bit;
    d->sent |= r->bit;
    return true;
}

/* Answers. */

static void end(struct disk *d, struct disk_request *r, enum block_status status)
{
    r->status = status;
    if (r->op == BLOCK_INFO)
        disk_give(d, r);
    else
        d->ended |= r->bit;
}

static void take_info(struct disk *d, const struct block_answer *a)
{
    d->known = a->status == BLOCK_DONE;
    d->sectors = a->value;
    d->flags = a->flags;
}

/* An answer that nobody waits for is none. */
static void take_answer(struct disk *d, const struct block_answer *a)
{
    if (a->id >= BLOCK_IDS || !(d->sent >> a->id & 1) || a->epoch != d->epoch)
        return;
    struct disk_request *r = &d->requests[a->id];

    d->sent &= ~r->bit;
    empty(d, r, a->status == BLOCK_DONE);
    r->done += r->round;
    if (r->op == BLOCK_INFO)
        take_info(d, a);
    if (a->status != BLOCK_DONE)
        end(d, r, a->status < BLOCK_NO_DEVICE ? a->status : BLOCK_NO_DEVICE);
    else if (moves_data(r) && r->done < r->size)
        d->waiting |= r->bit;
    else
        end(d, r, BLOCK_DONE);
}

/* The driver has nothing more of what it had. */
static void take_back(struct disk *d)
{
    for (; d->sent != 0; d->sent &= d->sent - 1) {
        empty(d, &d->requests[set_first(d->sent)], false);
        d->waiting |= BIT(set_first(d->sent));
    }
}

/* The driver has started anew: what it had not answered is sent again. */
static void look_at_epoch(struct disk *d)
{
    uint32_t epoch = __atomic_load_n(&d->area->epoch, __ATOMIC_ACQUIRE);

    if (epoch == d->epoch)
        return;
    d->epoch = epoch;
    take_back(d);
}

static void send_waiting(struct disk *d)
{
    for (uint64_t left = d->waiting; left != 0 && d->epoch != 0; left &= left - 1)
        if (!send(d, &d->requests[set_first(left)]))
            break;
}

/* Ends, with BLOCK_ERROR, what the driver does not have: it never will. */
static void cancel(struct disk *d)
{
    for (; d->waiting != 0; d->waiting &= d->waiting - 1)
        end(d, &d->requests[set_first(d->waiting)], BLOCK_ERROR);
}

/* The channel's event is always wanted: a monitor has nothing to wait in, and does not say when it
 * is awake. */
void disk_poll(struct disk *d)
{
    union {
        struct block_answer answer;
        uint8_t bytes[CHANNEL_ENTRY_SIZE];
    } entry;

    while (channel_get(&d->channel, &entry))
        take_answer(d, &entry.answer);
    look_at_epoch(d);
    send_waiting(d);
    channel_flush(&d->channel);
    if (__atomic_load_n(&d->info->ended, __ATOMIC_ACQUIRE)) {
        take_back(d);
        cancel(d);
    }
}

/* What others ask of it. */

struct disk_request *disk_place(struct disk *d)
{
    return ~d->taken != 0 ? &d->requests[set_first(~d->taken)] : NULL;
}

void disk_start(struct disk *d, struct disk_request *r)
{
    r->done = r->bounce_count = 0;
    d->taken |= r->bit;
    d->waiting |= r->bit;
}

struct disk_request *disk_ended(struct disk *d)
{
    if (d->ended == 0)
        return NULL;
    struct disk_request *r = &d->requests[set_first(d->ended)];

    d->ended &= d->ended - 1;
    return r;
}

void disk_give(struct disk *d, struct disk_request *r)
{
    d->taken &= ~r->bit;
}

bool disk_is_idle(const struct disk *d)
{
    return d->taken == 0;
}

bool disk_forget(struct disk *d)
{
    cancel(d);
    for (; d->ended != 0; d->ended &= d->ended - 1)
        disk_give(d, &d->requests[set_first(d->ended)]);
    return disk_is_idle(d);
}

void disk_drain(struct disk *d)
{
    while (!disk_forget(d)) {
        gate_spin(gate_tsc() + STEP);
        disk_poll(d);
    }
}

bool disk_wait(struct disk *d, uint64_t tsc)
{
    for (; !disk_is_idle(d) && gate_tsc() < tsc; disk_poll(d))
        gate_spin(gate_tsc() + STEP);
    return d->known;
}

void disk_open(struct disk *d, const struct process_channel *info, unsigned number, void *pages,
               const struct guest_memory *memory)
{
    *d = (struct disk){
        .info = info, .area = (void *)((uint8_t *)pages + CHANNEL_AREA), .memory = memory};
    for (unsigned i = 0; i < BLOCK_IDS; i++) {
        d->requests[i].id = (uint8_t)i;
        d->requests[i].bit = BIT(i);
    }
    channel_open(&d->channel, pages, number, false);
    channel_sleep(&d->channel);
    struct disk_request *r = disk_place(d);

    r->op = BLOCK_INFO;
    disk_start(d, r);
    disk_poll(d);
}
