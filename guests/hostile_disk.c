/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that use up what the clients of one disk share, and drivers of virtio-blk that keep to
 * nothing: the rows HOSTILE_DISK of hostile.def. What the device writes for them lies at the end of
 * their memory, so that they do not end themselves. */
#include "guests/hostile_rows.h"

#include "guests/lib/chance.h"
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/bits.h"

#define VECTOR     0x60
#define F_FLUSH    BIT(9)
#define FEATURES   (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | F_FLUSH)
#define SECTOR     512u
#define LONG       0x100000u       /* bytes of a long request */
#define BEHIND     0x1000000000ULL /* where no memory is */
#define CHAIN      3u              /* descriptors of a request */
#define REQUESTS   (VIRTQ_SIZE / CHAIN)
#define TABLE      8u /* descriptors of an indirect table */
#define OPERATIONS 14u

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4 };

static struct virtio disk;
static struct virtq_descriptor *table;
static struct request {
    uint32_t type, reserved;
    uint64_t sector;
} *requests;
static uint8_t *status, *data; /* `data` is behind all else */
static uint64_t sectors;

static void start(void)
{
    if (!virtio_start(&disk, FEATURES, VECTOR))
        bail_out("the disk does not start");
}

static void begin(void)
{
    if (!virtio_find(&disk, VIRTIO_ID_BLOCK))
        bail_out("there is no disk");
    start();
    sectors = *(volatile uint64_t *)disk.config;
    table = page_alloc();
    requests = page_alloc();
    status = page_alloc();
    data = page_alloc();
    virtio_count_interrupts(VECTOR);
    interrupts_on(); /* as `exits` in hostile.c */
}

/* A request in its own descriptors and its own data. */
static void offer(unsigned n, uint32_t type, uint64_t sector, uint32_t size)
{
    struct virtq_descriptor *d = &disk.queue.descriptors[CHAIN * n];
    uint16_t first = (uint16_t)(CHAIN * n), flags = VIRTQ_NEXT | (type == T_IN ? VIRTQ_WRITE : 0);

    requests[n] = (struct request){.type = type, .sector = sector};
    d[0] = (struct virtq_descriptor){(uintptr_t)&requests[n], 16, VIRTQ_NEXT,
                                     (uint16_t)(first + (size > 0 ? 1 : 2))};
    d[1] = (struct virtq_descriptor){(uintptr_t)data, size, flags, (uint16_t)(first + 2)};
    d[2] = (struct virtq_descriptor){(uintptr_t)&status[n], 1, VIRTQ_WRITE, 0};
    virtio_offer(&disk, first);
}

/* Nobody else's sectors are asked for, but by errors. */
static uint64_t anywhere(uint32_t size)
{
    return below((uint32_t)sectors - size / SECTOR);
}

/* As many requests under way as there can be, for ever. */
static void flood(void (*one)(unsigned n))
{
    uint32_t written;
    int head;

    begin();
    for (unsigned n = 0; n < REQUESTS; n++)
        one(n);
    for (;;)
        if ((head = virtio_take(&disk, &written)) >= 0)
            one((unsigned)head / CHAIN);
}

static void long_one(unsigned n)
{
    offer(n, T_IN, anywhere(LONG), LONG);
}

static void short_one(unsigned n)
{
    offer(n, T_IN, anywhere(SECTOR), SECTOR);
}

static void flushed_one(unsigned n)
{
    if (n % 2 == 0)
        offer(n, T_FLUSH, 0, 0);
    else
        offer(n, T_OUT, anywhere(SECTOR), SECTOR);
}

static void wrong_one(unsigned n)
{
    offer(n, below(OPERATIONS), sectors - below(3), SECTOR * (1 + below(3)));
}

void disk_long(void)
{
    flood(long_one);
}

void disk_short(void)
{
    flood(short_one);
}

void disk_flushes(void)
{
    flood(flushed_one);
}

void disk_errors(void)
{
    flood(wrong_one);
}

void disk_kicks(void)
{
    begin();
    for (;;)
        virtio_kick(&disk, &disk.queue);
}

void disk_resets(void)
{
    begin();
    for (;;) {
        for (unsigned n = 0; n < REQUESTS; n++)
            long_one(n);
        start();
    }
}

/* A descriptor of chance: no memory, too much of it, too little, a table, no end. */
static struct virtq_descriptor wild(void)
{
    static const uint32_t sizes[] = {0, 1, 16, 16, SECTOR - 1, SECTOR, PAGE_SIZE, LONG, 0x10000000};
    struct virtq_descriptor d = {.flags = (uint16_t)below(8),
                                 .next = (uint16_t)below(VIRTQ_SIZE + VIRTQ_SIZE / 4),
                                 .size = sizes[below(ARRAY_SIZE(sizes))]};

    if (below(8) == 0)
        d.address = below(2) ? BEHIND : UINT64_MAX - below(PAGE_SIZE);
    else if (d.flags & VIRTQ_WRITE)
        d.address = (uintptr_t)data + below(LONG);
    else if (d.flags & VIRTQ_INDIRECT)
        d.address = (uintptr_t)table, d.size = 16 * below(TABLE + 1);
    else
        d.address = (uintptr_t)&requests[below(REQUESTS)];
    return d;
}

static void change(void)
{
    struct virtq *q = &disk.queue;

    q->descriptors[below(VIRTQ_SIZE)] = wild();
    table[below(TABLE)] = wild();
    requests[below(REQUESTS)] =
        (struct request){.type = below(OPERATIONS), .sector = below(4) ? below(64) : UINT64_MAX};
    q->available->ring[below(VIRTQ_SIZE)] = (uint16_t)below(VIRTQ_SIZE + 2);
}

void disk_wild(void)
{
    begin();
    for (unsigned turn = 0;; turn++) {
        for (unsigned i = 0; i < VIRTQ_SIZE; i++)
            change();
        disk.queue.available->index += (uint16_t)(below(64) ? below(4) : below(0x10000));
        virtio_kick(&disk, &disk.queue);
        if (disk.common->status & VIRTIO_NEEDS_RESET || turn % 64 == 0)
            start();
    }
}

/* Good requests, which become others while the device has them. */
void disk_changes(void)
{
    begin();
    for (unsigned turn = 0;; turn++) {
        for (unsigned n = 0; n < REQUESTS; n++)
            offer(n, n % 2 == 0 ? T_IN : T_OUT, anywhere(LONG), SECTOR * (1 + below(64)));
        for (unsigned i = below(1000); i > 0; i--)
            change();
        if (disk.common->status & VIRTIO_NEEDS_RESET || turn % 16 == 0)
            start();
    }
}
