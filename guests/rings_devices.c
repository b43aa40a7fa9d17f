/* SPDX-License-Identifier: BSD-2-Clause */
/* The requests of each kind of device: see rings.c. */
#include "guests/rings.h"

#define ALL_DEVICES (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define F_RO        BIT(5)
#define F_FLUSH     BIT(9)
#define HEADER      16u
#define SECTOR      512u
#define GOOD_SECTOR 30u

/* The block device (5.2.6). */

enum { T_IN, T_OUT, T_SCSI, T_FLUSH = 4, T_GET_ID = 8, T_LIFETIME = 10, T_DISCARD, T_ZEROES = 13 };

static const struct block_case {
    const char *name;
    uint32_t type;
    uint64_t sector;
    bool from_end;
    struct shape shape;
} block_cases[] = {
    {"read", T_IN, 0, false, {{16}, {512, 1}, DIRECT}},
    {"read-64-sectors", T_IN, 8, false, {{16}, {32768, 1}, DIRECT}},
    {"read-in-pieces", T_IN, 5, false, {{16}, {100, 411, 1, 1}, DIRECT}},
    {"header-in-pieces", T_IN, 5, false, {{3, 5, 8}, {1024, 1}, DIRECT}},
    {"status-behind-data", T_IN, 9, false, {{16}, {513}, DIRECT}},
    {"status-and-some-data", T_IN, 9, false, {{16}, {500, 13}, DIRECT}},
    {"read-nothing", T_IN, 9, false, {{16}, {1}, DIRECT}},
    {"write", T_OUT, 100, false, {{16, 512}, {1}, DIRECT}},
    {"write-behind-header", T_OUT, 102, false, {{1040}, {1}, DIRECT}},
    {"write-in-pieces", T_OUT, 105, false, {{10, 7, 511}, {1}, DIRECT}},
    {"flush", T_FLUSH, 0, false, {{16}, {1}, DIRECT}},
    {"read-what-was-written", T_IN, 99, false, {{16}, {4096, 1}, DIRECT}},
    {"name", T_GET_ID, 0, false, {{16}, {20, 1}, DIRECT}},
    {"name-in-pieces", T_GET_ID, 0, false, {{16}, {7, 14}, DIRECT}},
    {"name-with-room", T_GET_ID, 0, false, {{16}, {64, 1}, DIRECT}},
    {"name-without-room", T_GET_ID, 0, false, {{16}, {10, 1}, DIRECT}},
    {"last-sector", T_IN, -1ULL, true, {{16}, {512, 1}, DIRECT}},
    {"behind-the-last", T_IN, 0, true, {{16}, {512, 1}, DIRECT}},
    {"over-the-end", T_IN, -1ULL, true, {{16}, {1024, 1}, DIRECT}},
    {"far-behind", T_IN, UINT64_MAX, false, {{16}, {512, 1}, DIRECT}},
    {"write-behind-the-last", T_OUT, 0, true, {{16, 512}, {1}, DIRECT}},
    {"half-a-sector", T_IN, 0, false, {{16}, {256, 1}, DIRECT}},
    {"write-half-a-sector", T_OUT, 0, false, {{16, 256}, {1}, DIRECT}},
    {"unknown-type", 76, 0, false, {{16}, {512, 1}, DIRECT}},
    {"unknown-type-high", 0x10000, 0, false, {{16}, {512, 1}, DIRECT}},
    {"scsi", T_SCSI, 0, false, {{16}, {512, 1}, DIRECT}},
    {"lifetime-not-offered", T_LIFETIME, 0, false, {{16}, {24, 1}, DIRECT}},
    {"discard-not-offered", T_DISCARD, 0, false, {{16, 16}, {1}, DIRECT}},
    {"zeroes-not-offered", T_ZEROES, 0, false, {{16, 16}, {1}, DIRECT}},
    {"indirect", T_IN, 20, false, {{16}, {512, 1}, INDIRECT}},
    {"indirect-in-pieces", T_IN, 20, false, {{8, 8}, {1, 1000, 23, 1}, INDIRECT}},
    {"indirect-crooked", T_IN, 21, false, {{16}, {512, 1}, CROOKED}},
    {"indirect-write-flag", T_IN, 22, false, {{16}, {512, 1}, INDIRECT_WRITE}},
    {"indirect-behind-direct", T_IN, 23, false, {{16}, {512, 1}, BEHIND}},
};

/* Behind them the chains whose parts a driver must not leave out. */
static const struct block_case odd_cases[] = {
    {"short-header", T_IN, 30, false, {{8}, {512, 1}, DIRECT}},
    {"no-header", T_IN, 30, false, {{0}, {512, 1}, DIRECT}},
    {"no-status", T_FLUSH, 0, false, {{16}, {0}, DIRECT}},
};

static uint64_t features;

static uint64_t capacity(void)
{
    uint64_t sectors;

    memcpy(&sectors, (const uint8_t *)rings_device.config, sizeof(sectors));
    return sectors;
}

/* A request whose header and data are at rings_out + at, and whose answer is at rings_in + in. */
static void prepare(const struct shape *s, uint32_t type, uint64_t sector)
{
    unsigned size = rings_written(s);

    memset(rings_out, 0, HEADER);
    memcpy(rings_out, &type, sizeof(type));
    memcpy(rings_out + 8, &sector, sizeof(sector));
    for (unsigned i = 0; i < 2 * SECTOR; i++)
        rings_out[HEADER + i] = (uint8_t)(sector + i * 7);
    memset(rings_in, 0, IN_PAGES * PAGE_SIZE);
    rings_status[0] = size > 0 ? rings_in + size - 1 : NULL;
    if (size > 0)
        *rings_status[0] = S_NONE;
    rings_build(s);
}

/* FNV-1a */
static uint32_t checksum(const uint8_t *bytes, unsigned count)
{
    uint32_t sum = 0x811c9dc5;

    for (unsigned i = 0; i < count; i++)
        sum = (sum ^ bytes[i]) * 0x01000193;
    return sum;
}

static void try_block(const struct block_case *c)
{
    unsigned size = rings_written(&c->shape);
    char data[16] = "";

    prepare(&c->shape, c->type, c->sector + (c->from_end ? capacity() : 0));
    rings_offer(0);
    rings_settle(PATIENCE);
    if (size > 1 && *rings_status[0] == 0)
        format(data, sizeof(data), "data=%08x", checksum(rings_in, size - 1));
    rings_show(c->name, data);
    if (rings_gave_up())
        rings_start(features);
}

static void good_block(void)
{
    static const struct shape good = {{HEADER}, {SECTOR, 1}, DIRECT};

    prepare(&good, T_IN, GOOD_SECTOR);
}

/* As many at once as there are descriptors, each with a table. */
static void many_blocks(void)
{
    const unsigned step = SECTOR + 1;
    char data[16];

    memset(rings_in, 0, IN_PAGES * PAGE_SIZE);
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        struct virtq_descriptor *t = rings_table + 3 * i;
        uint8_t *header = rings_out + i * HEADER, *in = rings_in + i * step;
        uint64_t sector = 50 + 3 * i;

        memset(header, 0, HEADER);
        memcpy(header + 8, &sector, sizeof(sector));
        t[0] = (struct virtq_descriptor){(uintptr_t)header, HEADER, VIRTQ_NEXT, 1};
        t[1] = (struct virtq_descriptor){(uintptr_t)in, SECTOR, VIRTQ_NEXT | VIRTQ_WRITE, 2};
        t[2] = (struct virtq_descriptor){(uintptr_t)in + SECTOR, 1, VIRTQ_WRITE, 0};
        rings_status[i] = in + SECTOR;
        *rings_status[i] = S_NONE;
        rings_refer(i, t, 3, 0);
        rings_add(i);
    }
    virtio_kick(&rings_device, rings_queue);
    rings_settle(PATIENCE);
    format(data, sizeof(data), "data=%08x", checksum(rings_in, VIRTQ_SIZE * step));
    rings_show("many", data);
}

void rings_block(void)
{
    char more[64];

    if (!rings_find(VIRTIO_ID_BLOCK, "blk"))
        return;
    rings_start(ALL_DEVICES | F_RO | F_FLUSH);
    features = rings_device.features;
    if (features & F_RO)
        rings_rename("ro");
    format(more, sizeof(more), "features=%lx sectors=%lu", features, capacity());
    rings_show("start", more);
    for (unsigned i = 0; i < ARRAY_SIZE(block_cases); i++)
        try_block(&block_cases[i]);
    many_blocks();
    if (features & F_RO)
        return;
    rings_start(features);
    for (unsigned i = 0; i < ARRAY_SIZE(odd_cases); i++)
        try_block(&odd_cases[i]);
    rings_transport(features, good_block);
    rings_notifications(features, good_block);
    rings_bad_chains(features, good_block);
}

/* The entropy device (5.4): how much it gives is what can be compared. */

#define MOST 256u /* of what a chain has room for: a device may use less */

static void good_entropy(void)
{
    static const struct shape good = {{0}, {8, 40, 16}, DIRECT};

    memset(rings_in, 0, IN_PAGES * PAGE_SIZE);
    rings_build(&good);
}

static unsigned not_zero(unsigned from, unsigned to)
{
    unsigned count = 0;

    for (; from < to; from++)
        count += rings_in[from] != 0;
    return count;
}

static void try_entropy(const char *name, const struct shape *s)
{
    unsigned size = rings_written(s);
    char more[48];

    memset(rings_in, 0, IN_PAGES * PAGE_SIZE);
    rings_build(s);
    rings_offer(0);
    rings_settle(PATIENCE);
    format(more, sizeof(more), "filled=%u behind=%u", not_zero(0, size) > size / 2,
           not_zero(size, size + MOST));
    rings_show(name, more);
    if (rings_gave_up())
        rings_start(ALL_DEVICES);
}

static void many_entropies(void)
{
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        rings_queue->descriptors[i] =
            (struct virtq_descriptor){(uintptr_t)rings_in + 64 * i, 8u * i + 8, VIRTQ_WRITE, 0};
        rings_add(i);
    }
    virtio_kick(&rings_device, rings_queue);
    rings_settle(PATIENCE);
    rings_show("many", "");
}

void rings_entropy(void)
{
    if (!rings_find(VIRTIO_ID_ENTROPY, "rng"))
        return;
    rings_start(ALL_DEVICES);
    try_entropy("request", &(struct shape){{0}, {64}, DIRECT});
    try_entropy("one-byte", &(struct shape){{0}, {1}, DIRECT});
    try_entropy("in-pieces", &(struct shape){{0}, {8, 24, 1, 100}, DIRECT});
    try_entropy("indirect", &(struct shape){{0}, {8, 24}, INDIRECT});
    try_entropy("indirect-crooked", &(struct shape){{0}, {24}, CROOKED});
    try_entropy("indirect-write-flag", &(struct shape){{0}, {24}, INDIRECT_WRITE});
    try_entropy("indirect-behind-direct", &(struct shape){{0}, {8, 24}, BEHIND});
    try_entropy("most", &(struct shape){{0}, {MOST}, DIRECT});
    many_entropies();
    rings_transport(ALL_DEVICES, good_entropy);
    rings_notifications(ALL_DEVICES, good_entropy);
    rings_bad_chains(ALL_DEVICES, good_entropy);
}
