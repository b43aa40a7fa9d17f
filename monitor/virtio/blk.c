/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: see blk.h. Section numbers are those of virtio 1.2. */
#include "monitor/virtio/blk.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "monitor/gate.h"

/* Feature bits (5.2.3). */
#define F_SEG_MAX      (1ULL << 2)
#define F_RO           (1ULL << 5)
#define F_BLK_SIZE     (1ULL << 6)
#define F_FLUSH        (1ULL << 9)
#define F_DISCARD      (1ULL << 13)
#define F_WRITE_ZEROES (1ULL << 14)

/* Requests, and what becomes of them (5.2.6). */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP, TO_DISK = -1 };

#define ID_SIZE    20u
#define FLAG_UNMAP 1u
#define RANGE_MAX  (1u << 22) /* sectors of a discard: 2 GiB */
#define STEP       100000u    /* of the TSC */

struct request {
    uint32_t type, reserved;
    uint64_t sector;
    /* DISCARD and WRITE_ZEROES: one range. */
    struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } range;
};

#define HEADER_SIZE offsetof(struct request, range)

/* Gives a chain back. Its last byte is the status; `written` are those before it. */
static void put(struct blk *b, const struct virtq_chain *c, int status, uint64_t written)
{
    const struct guest_piece *last = &c->pieces[c->count - 1];
    uint64_t writable = guest_pieces_size(c->pieces + c->readable, c->count - c->readable);

    if (status != S_OK)
        written = 0;
    b->virtio.memory->base[last->address + last->size - 1] = (uint8_t)status;
    virtq_put(&b->virtio.r.queue[0], c->head, (uint32_t)written + (written + 1 == writable));
}

/* Leaves the label where the disk's request, which is none, would have data. */
static int get_id(struct blk *b, struct disk_request *r)
{
    char id[ID_SIZE] = "";

    if (r->size < ID_SIZE)
        return S_IOERR;
    memcpy(id, b->channel->label, strnlen(b->channel->label, ID_SIZE));
    r->size = guest_pieces_write(b->virtio.memory, r->pieces, r->piece_count, 0, id, ID_SIZE);
    return S_OK;
}

/* 5.2.6.2 */
static int change(struct disk_request *r, const struct request *q, uint64_t size)
{
    if (size != sizeof(q->range) || q->range.sectors > RANGE_MAX)
        return S_IOERR;
    if (q->range.flags & ~(r->op == BLOCK_ZERO ? FLAG_UNMAP : 0))
        return S_UNSUPP;
    r->sector = q->range.sector;
    r->sectors = q->range.sectors;
    return r->sectors == 0 ? S_OK : TO_DISK;
}

/* What the driver wants: a status at once, or TO_DISK. */
static int parse(struct blk *b, struct disk_request *r, const struct virtq_chain *c)
{
    static const struct {
        enum block_op op;
        uint64_t feature;
    } types[] = {
        [T_IN] = {BLOCK_READ, 0},
        [T_OUT] = {BLOCK_WRITE, 0},
        [T_FLUSH] = {BLOCK_FLUSH, 0},
        [T_GET_ID] = {BLOCK_READ, 0},
        [T_DISCARD] = {BLOCK_DISCARD, F_DISCARD},
        [T_WRITE_ZEROES] = {BLOCK_ZERO, F_WRITE_ZEROES},
    };
    struct request q;

    if (guest_pieces_read(b->virtio.memory, c->pieces, c->readable, 0, &q, sizeof(q)) < HEADER_SIZE)
        return S_IOERR;
    if (q.type >= ARRAY_SIZE(types) || types[q.type].op == BLOCK_INFO ||
        types[q.type].feature & ~b->virtio.offered)
        return S_UNSUPP;
    r->op = types[q.type].op;
    r->sector = q.sector;
    r->pieces = c->pieces;
    r->piece_count = c->readable;
    r->start = HEADER_SIZE;
    r->size = guest_pieces_size(c->pieces, c->readable) - HEADER_SIZE;
    if (r->op == BLOCK_FLUSH)
        return TO_DISK;
    if (r->op == BLOCK_DISCARD || r->op == BLOCK_ZERO)
        return change(r, &q, r->size);
    if (r->op == BLOCK_WRITE && b->virtio.offered & F_RO)
        return S_IOERR;
    if (r->op == BLOCK_READ) {
        r->pieces = c->pieces + c->readable;
        r->piece_count = c->count - c->readable;
        r->start = 0;
        r->size = guest_pieces_size(r->pieces, r->piece_count) - 1;
    }
    if (q.type == T_GET_ID)
        return get_id(b, r);
    if (!is_aligned(r->size, BLOCK_SECTOR) || r->size > UINT32_MAX)
        return S_IOERR;
    return r->size == 0 ? S_OK : TO_DISK;
}

/* As much as the disk has places for; whether there may be more. A chain without a byte for its
 * status is none. */
static bool begin_all(struct blk *b)
{
    struct disk_request *r;

    while ((r = disk_take(&b->disk)) != NULL) {
        struct virtq_chain *c = &b->chains[disk_id(&b->disk, r)];
        bool there = virtio_next(&b->virtio, 0, c), good = there && c->count > c->readable;
        int status = good ? parse(b, r, c) : S_IOERR;

        if (status == TO_DISK) {
            disk_start(&b->disk, r);
            continue;
        }
        if (good)
            put(b, c, status, r->op == BLOCK_READ ? r->size : 0);
        else if (there)
            virtio_fail(&b->virtio);
        disk_give(&b->disk, r);
        if (!there)
            return false;
    }
    return true;
}

/* One has ended. For a driver without FLUSH what is written is stable then (5.2.6.4); after a reset
 * nobody hears of it. */
static void end(struct blk *b, struct disk_request *r)
{
    bool stable = b->virtio.r.accepted & F_FLUSH || r->op != BLOCK_WRITE || r->status != BLOCK_DONE;

    if (!b->virtio.r.resetting && !stable) {
        r->op = BLOCK_FLUSH;
        disk_start(&b->disk, r);
        return;
    }
    if (!b->virtio.r.resetting)
        put(b, &b->chains[disk_id(&b->disk, r)],
            r->status == BLOCK_DONE      ? S_OK
            : r->status == BLOCK_REFUSED ? S_UNSUPP
                                         : S_IOERR,
            r->op == BLOCK_READ ? r->size : 0);
    disk_give(&b->disk, r);
}

/* Whether any has. */
static bool end_all(struct blk *b)
{
    struct disk_request *r;
    bool any = false;

    for (; (r = disk_ended(&b->disk)) != NULL; any = true)
        end(b, r);
    return any;
}

/* What the disk has for the driver. Ring 0 says when there is none any more. */
static void poll(struct blk *b)
{
    disk_poll(&b->disk);
    if (__atomic_load_n(&b->channel->ended, __ATOMIC_ACQUIRE))
        disk_abandon(&b->disk);
}

static bool reset(struct virtio *v)
{
    struct blk *b = v->device;

    disk_cancel(&b->disk);
    end_all(b);
    return disk_is_idle(&b->disk);
}

/* What the driver and the disk have for each other. */
static void work(struct blk *b)
{
    bool more;

    do {
        more = begin_all(b);
        poll(b);
    } while (end_all(b) && (more || b->disk.waiting != 0));
    if (!b->virtio.r.resetting)
        virtio_interrupt(&b->virtio, 0);
    else if (reset(&b->virtio))
        virtio_reset_done(&b->virtio);
}

void blk_event(struct blk *b)
{
    if (b->virtio.kind != NULL)
        work(b);
    else
        poll(b); /* what it is, for the next start */
}

static void kick(struct virtio *v, unsigned queue)
{
    work(v->device);
}

static void stop(struct blk *b)
{
    for (b->virtio.r.resetting = true; !reset(&b->virtio); poll(b))
        gate_spin(gate_tsc() + STEP);
}

bool blk_wait(struct blk *b, uint64_t tsc)
{
    for (; !disk_is_idle(&b->disk) && gate_tsc() < tsc; poll(b))
        gate_spin(gate_tsc() + STEP);
    return b->disk.known;
}

void blk_open(struct blk *b, const struct process_channel *channel, unsigned number, void *pages,
              const struct guest_memory *memory)
{
    b->virtio.device = b;
    b->channel = channel;
    disk_open(&b->disk, pages, number, memory);
}

void blk_init(struct blk *b, struct pci *pci)
{
    static const struct virtio_kind kind = {
        .id = 2, .class = 0x018000, .queues = 1, .kick = kick, .reset = reset};
    uint32_t flags = b->channel->read_only ? 0 : b->disk.flags;
    uint64_t offered = VIRTIO_F_ALL_DEVICES | F_SEG_MAX | F_BLK_SIZE | F_FLUSH;

    if (!b->disk.known)
        return;
    stop(b);
    if (!(flags & BLOCK_CAN_WRITE))
        offered |= F_RO;
    if (flags & BLOCK_CAN_WRITE && flags & BLOCK_CAN_DISCARD)
        offered |= F_DISCARD;
    if (flags & BLOCK_CAN_WRITE && flags & BLOCK_CAN_ZERO)
        offered |= F_WRITE_ZEROES;
    b->config = (struct blk_config){
        .capacity = b->disk.sectors,
        .seg_max = BLOCK_SEGMENTS,
        .blk_size = BLOCK_SECTOR,
        .max_discard_sectors = RANGE_MAX,
        .max_discard_seg = 1,
        .discard_sector_alignment = 1,
        .max_write_zeroes_sectors = RANGE_MAX,
        .max_write_zeroes_seg = 1,
        .write_zeroes_may_unmap = 1,
    };
    b->virtio.config = &b->config;
    b->virtio.config_size = sizeof(b->config);
    b->virtio.offered = offered;
    virtio_init(&b->virtio, &kind, pci, b->disk.memory);
}
