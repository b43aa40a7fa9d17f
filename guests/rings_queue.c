/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver sees of any device's queue and transport: see rings.c. */
#include "guests/rings.h"

#define F_NOBODY BIT(40)               /* reserved: offered by nobody (6) */
#define NOWHERE  0xffff000000000000ULL /* there is no memory */
#define NO_MASK  3u                    /* of a vector's words in the table, the mask is this one */

static void (*make_good)(void);

/* Starts with the good chain in place. */
static void start(uint64_t features)
{
    rings_start(features);
    make_good();
}

static void once(const char *name)
{
    rings_offer(0);
    rings_settle(PATIENCE);
    rings_show(name, "");
}

/* 3.1.1, 4.1.4.3 */
void rings_transport(uint64_t features, void (*good)(void))
{
    struct virtio_common *c = rings_device.common;
    char more[96];
    bool legacy = virtio_negotiate(&rings_device, features & ~VIRTIO_F_VERSION_1);
    bool unknown;

    make_good = good;
    virtio_negotiate(&rings_device, features);
    c->status = 0;
    c->accepted_select = 1;
    c->accepted = (F_NOBODY | VIRTIO_F_VERSION_1) >> 32;
    c->status = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK;
    unknown = c->status & VIRTIO_FEATURES_OK;
    start(features);
    format(more, sizeof(more), "legacy=%u unknown=%u", legacy, unknown);
    rings_show("features", more);

    c->queue_select = rings_queue->number;
    c->queue_vector = 7;
    c->config_vector = 7;
    format(more, sizeof(more), "vectors=%x,%x", c->queue_vector, c->config_vector);
    rings_show("vectors-that-are-not-there", more);
    c->status = 0;
    while (c->status != 0)
        cpu_relax();
    format(more, sizeof(more), "vectors=%x,%x enabled=%u", c->queue_vector, c->config_vector,
           c->queue_enable);
    c->queue_select = 100;
    format(more + strlen(more), sizeof(more) - strlen(more), " size=%u", c->queue_size);
    rings_show("reset", more);

    /* 2.1.2: nothing is used before DRIVER_OK. */
    rings_begin(features);
    make_good();
    rings_offer(0);
    rings_settle(SHORT);
    rings_show("before-driver-ok", "");
    virtio_driver_ok(&rings_device);
    virtio_kick(&rings_device, rings_queue);
    rings_settle(PATIENCE);
    rings_show("after-driver-ok", "");
}

/* When the device and the driver tell each other (2.7.7, 2.7.10). */

static void with_event_idx(uint64_t features)
{
    struct virtq *q = rings_queue;

    start(features);
    q->available->used_event = q->taken + 1;
    once("event-of-the-next");
    q->available->used_event = q->taken - 1;
    once("event-of-the-last");
    q->available->used_event = q->taken + 1;
    rings_offer(0);
    rings_settle(PATIENCE);
    once("event-of-the-second");
    for (unsigned i = 0; i < VIRTQ_SIZE; i++)
        once("round-and-round");
}

static void without_event_idx(uint64_t features)
{
    start(features & ~VIRTIO_F_EVENT_IDX);
    once("flags-clear");
    rings_queue->available->flags = 1;
    once("no-interrupt");
    rings_queue->available->flags = 0;
    once("flags-clear-again");
}

static void with_masks(uint64_t features)
{
    start(features);
    rings_device.vectors[NO_MASK] = 1;
    once("masked");
    rings_device.vectors[NO_MASK] = 0;
    rings_settle(SHORT);
    rings_show("unmasked", "");
    rings_device.common->queue_select = rings_queue->number;
    rings_device.common->queue_vector = VIRTIO_NO_VECTOR;
    once("no-vector");
    rings_device.common->queue_vector = 0;
    once("vector-again");
    rings_device.vectors[NO_MASK] = 1;
    once("masked-again");
    rings_device.common->status = 0;
    while (rings_device.common->status != 0)
        cpu_relax();
    rings_device.vectors[NO_MASK] = 0;
    rings_settle(SHORT);
    rings_show("unmasked-after-reset", "");
}

/* 4.1.4.5: the ISR status, which reading clears. */
static void without_msix(uint64_t features)
{
    char more[32];

    start(features);
    pci_write(rings_device.device, rings_device.msix + 2, 2, 0);
    rings_offer(0);
    rings_settle(PATIENCE);
    unsigned first = *rings_device.isr, second = *rings_device.isr;
    format(more, sizeof(more), "isr=%u,%u", first, second);
    rings_show("without-msix", more);
}

void rings_notifications(uint64_t features, void (*good)(void))
{
    make_good = good;
    with_event_idx(features);
    without_event_idx(features);
    with_masks(features);
    without_msix(features);
}

/* Chains that are none, or that a device need not take: one descriptor of the good chain, which has
 * three, is another. */
static const struct bad_case {
    const char *name;
    uint16_t head, which;
    struct virtq_descriptor d; /* address 0: that of the good one; size 1: likewise */
} bad_cases[] = {
    {"loop", 0, 1, {0, 1, VIRTQ_NEXT | VIRTQ_WRITE, 1}},
    {"next-outside", 0, 1, {0, 1, VIRTQ_NEXT | VIRTQ_WRITE, VIRTQ_SIZE}},
    {"head-outside", VIRTQ_SIZE, 0, {0, 1, VIRTQ_NEXT, 1}},
    {"empty-buffer", 0, 1, {0, 0, VIRTQ_NEXT | VIRTQ_WRITE, 2}},
    {"no-memory", 0, 1, {NOWHERE, 1, VIRTQ_NEXT | VIRTQ_WRITE, 2}},
    {"too-much-memory", 0, 1, {0, UINT32_MAX, VIRTQ_NEXT | VIRTQ_WRITE, 2}},
    {"table-odd", 0, 0, {0, 40, VIRTQ_INDIRECT, 0}},
    {"table-empty", 0, 0, {0, 0, VIRTQ_INDIRECT, 0}},
    {"table-and-next", 0, 0, {0, 48, VIRTQ_INDIRECT | VIRTQ_NEXT, 1}},
};

static void bad_case(const struct bad_case *c)
{
    struct virtq_descriptor *d = &rings_queue->descriptors[c->which], good = *d;

    memcpy(rings_table, rings_queue->descriptors, 3 * sizeof(*d));
    *d = c->d;
    if (d->address == 0)
        d->address = c->d.flags & VIRTQ_INDIRECT ? (uintptr_t)rings_table : good.address;
    if (d->size == 1)
        d->size = good.size;
    rings_offer(c->head);
    rings_settle(PATIENCE);
    rings_show(c->name, "");
}

static void table_in_table(void)
{
    struct virtq_descriptor *inner = rings_table + 8;

    memcpy(inner, rings_queue->descriptors, 3 * sizeof(*inner));
    rings_table[0] =
        (struct virtq_descriptor){(uintptr_t)inner, 3 * sizeof(*inner), VIRTQ_INDIRECT, 0};
    rings_refer(0, rings_table, 1, 0);
    once("table-in-table");
}

/* More is available than there are places. */
static void index_jumps(void)
{
    rings_queue->available->index = VIRTQ_SIZE + 1;
    virtio_kick(&rings_device, rings_queue);
    rings_settle(PATIENCE);
    rings_show("index-jumps", "");
}

void rings_bad_chains(uint64_t features, void (*good)(void))
{
    make_good = good;
    for (unsigned i = 0; i < ARRAY_SIZE(bad_cases); i++) {
        start(features);
        bad_case(&bad_cases[i]);
    }
    start(features);
    table_in_table();
    start(features);
    index_jumps();
    start(features);
    once("after-all");
}
