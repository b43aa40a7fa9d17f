/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: see blk.h. Section numbers are those of virtio 1.2. */
#include "monitor/virtio/blk.h"

#define RANGE_MAX (1u << 22) /* sectors of a discard: 2 GiB */
#define TO_DISK   (-1)       /* what has no status yet */

/* Data as it comes: whole sectors. */
static int transfer(const struct blk *b, struct disk_request *r)
{
    if (!is_aligned(r->size, BLOCK_SECTOR) || r->size > UINT32_MAX)
        return BLK_S_IOERR;
    return r->size == 0 ? BLK_S_OK : TO_DISK;
}

/* Leaves the label where the disk's request, which is none, would have data. */
static int get_id(const struct blk *b, struct disk_request *r)
{
    if (r->size < BLK_ID)
        return BLK_S_IOERR;
    r->size = guest_pieces_write(b->virtio.memory, r->pieces, r->piece_count, 0,
                                 b->disk.info->label, BLK_ID);
    return BLK_S_OK;
}

/* 5.2.6.2 */
static int change(const struct blk *b, struct disk_request *r)
{
    struct blk_range range;

    if (r->size != sizeof(range))
        return BLK_S_IOERR;
    guest_pieces_read(b->virtio.memory, r->pieces, r->piece_count, r->start, &range, sizeof(range));
    if (range.sectors > RANGE_MAX)
        return BLK_S_IOERR;
    if (range.flags & ~(r->op == BLOCK_ZERO ? BLK_UNMAP : 0))
        return BLK_S_UNSUPP;
    r->sector = range.sector;
    r->sectors = range.sectors;
    return r->sectors == 0 ? BLK_S_OK : TO_DISK;
}

static const struct type {
    enum block_op op; /* BLOCK_INFO: there is no such request */
    uint32_t needs;   /* BLOCK_CAN_* */
    /* NULL: there is nothing more to see. */
    int (*parse)(const struct blk *b, struct disk_request *r);
} types[] = {
    [BLK_T_IN] = {BLOCK_READ, 0, transfer},
    [BLK_T_OUT] = {BLOCK_WRITE, BLOCK_CAN_WRITE, transfer},
    [BLK_T_FLUSH] = {BLOCK_FLUSH, 0, NULL},
    [BLK_T_GET_ID] = {BLOCK_READ, 0, get_id},
    [BLK_T_DISCARD] = {BLOCK_DISCARD, BLOCK_CAN_DISCARD, change},
    [BLK_T_WRITE_ZEROES] = {BLOCK_ZERO, BLOCK_CAN_ZERO, change},
};

/* What the driver wants: a status at once, or TO_DISK. What it reads is behind the header, what it
 * writes ahead of the status. */
static int parse(struct blk *b, struct disk_request *r, const struct virtq_chain *c)
{
    struct blk_request q;

    if (guest_pieces_read(b->virtio.memory, c->pieces, c->readable, 0, &q, sizeof(q)) < sizeof(q))
        return BLK_S_IOERR;
    if (q.type >= ARRAY_SIZE(types) || types[q.type].op == BLOCK_INFO)
        return BLK_S_UNSUPP;
    const struct type *t = &types[q.type];
    bool in = t->op == BLOCK_READ;

    if (t->needs & ~b->flags)
        return t->op == BLOCK_WRITE ? BLK_S_IOERR : BLK_S_UNSUPP;
    r->op = t->op;
    r->sector = q.sector;
    r->sectors = 0;
    r->pieces = in ? c->pieces + c->readable : c->pieces;
    r->piece_count = in ? c->count - c->readable : c->readable;
    r->start = in ? 0 : sizeof(q);
    r->size = in ? c->writable_size - 1 : c->readable_size - sizeof(q);
    return t->parse != NULL ? t->parse(b, r) : TO_DISK;
}

/* Gives a chain back. Its last byte is the status; the data of a request that reads is before it.
 */
static void put(struct blk *b, const struct disk_request *r, int status)
{
    const struct virtq_chain *c = &b->chains[r->id];
    const struct guest_piece *last = &c->pieces[c->count - 1];
    uint64_t written = status == BLK_S_OK && r->op == BLOCK_READ ? r->size : 0;

    b->virtio.memory->base[last->address + last->size - 1] = (uint8_t)status;
    virtq_put(&b->virtio.r.queue[0], c->head,
              (uint32_t)written + (written + 1 == c->writable_size));
}

/* The next chain. False: there is none. */
static bool begin(struct blk *b, struct disk_request *r)
{
    struct virtq_chain *c = &b->chains[r->id];
    bool there = virtio_next(&b->virtio, 0, c);
    int status = there ? parse(b, r, c) : BLK_S_OK;

    if (status == TO_DISK)
        disk_start(&b->disk, r);
    else if (there)
        put(b, r, status);
    return there;
}

/* Of a request that the disk has had: done, failed, invalid, refused, no device. */
static const uint8_t statuses[] = {BLK_S_OK, BLK_S_IOERR, BLK_S_IOERR, BLK_S_UNSUPP, BLK_S_IOERR};

/* For a driver without FLUSH what is written is stable when it has ended (5.2.6.4). */
static void end(struct blk *b, struct disk_request *r)
{
    if (r->op == BLOCK_WRITE && r->status == BLOCK_DONE && !(b->virtio.r.accepted & BLK_F_FLUSH)) {
        r->op = BLOCK_FLUSH;
        disk_start(&b->disk, r);
        return;
    }
    put(b, r, statuses[r->status]);
    disk_give(&b->disk, r);
}

/* What the driver and the disk have for each other, as far as the disk has places. */
static void work(struct blk *b)
{
    struct disk_request *r;
    bool any;

    do {
        while (b->more && (r = disk_place(&b->disk)) != NULL)
            b->more = begin(b, r);
        disk_poll(&b->disk);
        for (any = false; (r = disk_ended(&b->disk)) != NULL; any = true)
            end(b, r);
    } while (any && (b->more || b->disk.waiting != 0));
    virtio_interrupt(&b->virtio, 0);
}

static void kick(struct virtio *v, unsigned queue)
{
    struct blk *b = v->device;

    b->more = true;
    work(b);
}

static bool reset(struct virtio *v)
{
    return disk_forget(&((struct blk *)v->device)->disk);
}

void blk_event(struct blk *b)
{
    if (b->virtio.kind != NULL && !b->virtio.r.resetting)
        work(b);
    else
        disk_poll(&b->disk); /* what it is, for the next start; or the rest of a reset */
    if (b->virtio.r.resetting && reset(&b->virtio))
        virtio_reset_done(&b->virtio);
}

void blk_init(struct blk *b, struct pci *pci)
{
    static const struct virtio_kind kind = {
        .id = 2, .class = 0x018000, .queues = 1, .least = 1, .kick = kick, .reset = reset};

    if (!b->disk.known)
        return;
    disk_drain(&b->disk);
    b->flags = b->disk.info->read_only || !(b->disk.flags & BLOCK_CAN_WRITE) ? 0 : b->disk.flags;
    b->config = (struct blk_config){.capacity = b->disk.sectors,
                                    .seg_max = BLOCK_SEGMENTS,
                                    .blk_size = BLOCK_SECTOR,
                                    .max_discard_sectors = RANGE_MAX,
                                    .max_discard_seg = 1,
                                    .discard_sector_alignment = 1,
                                    .max_write_zeroes_sectors = RANGE_MAX,
                                    .max_write_zeroes_seg = 1,
                                    .write_zeroes_may_unmap = 1};
    b->virtio.config_size = sizeof(b->config);
    b->virtio.offered = VIRTIO_F_ALL_DEVICES | BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH |
                        (b->flags & BLOCK_CAN_WRITE ? 0 : BLK_F_RO) |
                        (b->flags & BLOCK_CAN_DISCARD ? BLK_F_DISCARD : 0) |
                        (b->flags & BLOCK_CAN_ZERO ? BLK_F_WRITE_ZEROES : 0);
    virtio_init(&b->virtio, &kind, b, &b->config, pci, b->disk.memory);
}
