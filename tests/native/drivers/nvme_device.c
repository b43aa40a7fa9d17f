/* SPDX-License-Identifier: BSD-2-Clause */
#include "nvme_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "lib/bits.h"
#include "machine.h"
#include "simulated.h"

struct command {
    uint8_t opcode, flags;
    uint16_t id;
    uint32_t namespace;
    uint64_t reserved, metadata, prp[2];
    uint32_t dword10, dword11, dword12, dword13, dword14, dword15;
};

struct queue {
    uint64_t base;
    uint32_t entries; /* 0: there is none */
    uint32_t head, tail;
    uint16_t phase; /* of completion queues */
};

#define PENDING 64u

struct nvme_device nvme_device;
uint32_t nvme_largest;
unsigned nvme_commands;

static uint32_t cc, csts, aqa;
static uint64_t asq, acq;
static struct queue submissions[2], completions[2];
static struct command pending[PENDING];
static unsigned pending_count;
static unsigned wait;
static bool predecessor;

void nvme_new(void)
{
    simulated_new();
    /* 2048 entries, 2 s, doorbells without a gap, NVM command set, pages from 4 KiB */
    nvme_device = (struct nvme_device){.cap = 2047 | 4ULL << 24 | 1ULL << 37 | 4ULL << 52,
                                       .lba_shift = 9,
                                       .oncs = 0xc,
                                       .blocks = MEDIUM_SECTORS,
                                       .ticks_to_ready = 5};
    cc = csts = aqa = 0;
    memset(submissions, 0, sizeof(submissions));
    memset(completions, 0, sizeof(completions));
    pending_count = 0;
    wait = 0;
    predecessor = false;
    nvme_largest = 0;
    nvme_commands = 0;
}

void nvme_predecessor(bool ready)
{
    cc = 0x460001;
    csts = ready;
    wait = ready ? 0 : 100;
    predecessor = true;
}

bool nvme_predecessor_lives(void)
{
    return predecessor;
}

static void post(unsigned queue, uint16_t id, uint16_t status)
{
    struct queue *q = &completions[queue];
    uint16_t *entry = (uint16_t *)machine_memory(q->base + q->tail * 16, 16);

    assert_int_not_equal((q->tail + 1) % q->entries, q->head); /* 3.3.1.2.1: it is not full */
    memset(entry, 0, 12);
    entry[4] = (uint16_t)submissions[queue].head;
    entry[5] = (uint16_t)queue;
    entry[6] = id;
    entry[7] = (uint16_t)(status << 1 | q->phase);
    q->tail = (q->tail + 1) % q->entries;
    q->phase ^= q->tail == 0;
}

void nvme_post_nonsense(uint16_t id)
{
    post(1, id, 0);
}

static uint16_t create(const struct command *c, bool completion)
{
    struct queue *q = completion ? &completions[1] : &submissions[1];
    uint32_t entries = (c->dword10 >> 16) + 1;

    assert_int_equal(c->dword10 & 0xffff, 1);
    assert_int_equal(c->prp[0] % PAGE_SIZE, 0);
    assert_true(c->dword11 & 1); /* contiguous */
    assert_int_equal(q->entries, 0);
    if (entries < 2 || entries - 1 > (nvme_device.cap & 0xffff))
        return 0x102; /* Invalid Queue Size */
    if (completion) {
        assert_int_equal(c->dword11, 3); /* vector 0 */
    } else {
        assert_int_equal(c->dword11 >> 16, 1);
        assert_int_not_equal(completions[1].entries, 0);
    }
    *q = (struct queue){.base = c->prp[0], .entries = entries, .phase = 1};
    return 0;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    memcpy(at, &value, size);
}

static uint16_t identify(const struct command *c)
{
    uint8_t *data = machine_memory(c->prp[0], PAGE_SIZE);

    assert_int_equal(c->prp[0] % PAGE_SIZE, 0);
    memset(data, 0, PAGE_SIZE);
    switch (c->dword10) {
    case 0: /* the namespace; one that is not there is all 0 */
        assert_int_equal(c->namespace, 1);
        put(data, nvme_device.blocks, 8);
        data[26] = 2; /* the format in use */
        put(data + 128 + 4 * 2, nvme_device.metadata | (uint32_t)nvme_device.lba_shift << 16, 4);
        data[99] = nvme_device.write_protected;
        return 0;
    case 1: /* the controller */
        data[77] = nvme_device.mdts;
        put(data + 512, 0x4466, 2); /* entry sizes */
        put(data + 516, 1, 4);
        put(data + 520, nvme_device.oncs, 2);
        return 0;
    }
    return 2;
}

static uint16_t admin(const struct command *c)
{
    switch (c->opcode) {
    case 1:
        return create(c, false);
    case 5:
        return create(c, true);
    case 6:
        return identify(c);
    case 9:
        assert_int_equal(c->dword10, 7);
        return 0;
    }
    return 1;
}

/* Data by PRP entries (4.1.1): bytes from or to the medium. */
static bool transfer(const struct command *c, uint64_t sector, uint32_t bytes)
{
    const uint64_t *list = NULL;
    uint32_t done = (uint32_t)min_u64(bytes, PAGE_SIZE - c->prp[0] % PAGE_SIZE);
    bool good;

    assert_int_equal(c->prp[0] % 4, 0);
    good = medium_copy(c->opcode == 1, sector, c->prp[0], done);
    if (bytes - done > PAGE_SIZE) {
        assert_int_equal(c->prp[1] % PAGE_SIZE, 0); /* the driver's lists begin a page */
        list = (const uint64_t *)machine_memory(c->prp[1], PAGE_SIZE);
    }
    for (unsigned i = 0; done < bytes; i++) {
        uint64_t entry = list != NULL ? list[i] : c->prp[1];
        uint32_t size = (uint32_t)min_u64(bytes - done, PAGE_SIZE);
        assert_true(i < 512);
        assert_int_equal(entry % PAGE_SIZE, 0);
        good = good && medium_copy(c->opcode == 1, sector + done / BLOCK_SECTOR, entry, size);
        done += size;
    }
    return good;
}

static uint16_t zero(uint64_t sector, uint64_t sectors)
{
    if (!medium_has(sector, sectors))
        return 0x80; /* LBA Out of Range */
    memset(medium[sector], 0, sectors * BLOCK_SECTOR);
    return 0;
}

static uint16_t io(const struct command *c)
{
    uint64_t sector = c->dword10 | (uint64_t)c->dword11 << 32;
    uint32_t bytes = ((c->dword12 & 0xffff) + 1) * BLOCK_SECTOR;
    uint64_t range[2];

    assert_int_equal(c->namespace, 1);
    nvme_commands++;
    switch (c->opcode) {
    case 0:
        flushes++;
        return 0;
    case 1:
    case 2:
        assert_true(nvme_device.mdts == 0 || bytes <= PAGE_SIZE << nvme_device.mdts);
        nvme_largest = (uint32_t)max_u64(nvme_largest, bytes);
        return transfer(c, sector, bytes) ? 0 : 0x4281; /* Unrecovered Read Error, Do Not Retry */
    case 8:
        assert_true(nvme_device.oncs & 8);
        if (nvme_device.mdts != 0 && bytes > PAGE_SIZE << nvme_device.mdts)
            return 2; /* some take MDTS for this, too */
        return zero(sector, bytes / BLOCK_SECTOR);
    case 9:
        assert_true(nvme_device.oncs & 4);
        assert_int_equal(c->dword10, 0); /* one range */
        assert_int_equal(c->dword11, 4);
        memcpy(range, machine_memory(c->prp[0], 16), 16);
        return zero(range[1], range[0] >> 32);
    }
    return 1;
}

static void fetch(unsigned queue)
{
    struct queue *q = &submissions[queue];

    while (q->head != q->tail) {
        struct command c;
        memcpy(&c, machine_memory(q->base + q->head * sizeof(c), sizeof(c)), sizeof(c));
        q->head = (q->head + 1) % q->entries;
        if (nvme_device.silent)
            continue;
        if (queue == 0) {
            post(0, c.id, admin(&c));
            continue;
        }
        for (unsigned i = 0; i < pending_count; i++)
            assert_int_not_equal(pending[i].id, c.id);
        assert_true(pending_count < PENDING);
        pending[pending_count++] = c;
    }
}

void device_work(void)
{
    unsigned some = machine_random(pending_count + 1);

    while (some-- > 0) {
        unsigned which = machine_random(pending_count);
        struct command c = pending[which];
        pending[which] = pending[--pending_count];
        post(1, c.id, io(&c));
    }
}

static void enable(void)
{
    assert_int_equal(csts & 1, 0);
    assert_int_equal(cc >> 4 & 0x7ff, 0); /* NVM commands, pages of 4 KiB, round robin */
    assert_int_equal(cc >> 16 & 0xff, 0x46);
    assert_true(asq % PAGE_SIZE == 0 && acq % PAGE_SIZE == 0);
    submissions[0] = (struct queue){.base = asq, .entries = (aqa & 0xfff) + 1};
    completions[0] = (struct queue){.base = acq, .entries = (aqa >> 16 & 0xfff) + 1, .phase = 1};
    wait = nvme_device.ticks_to_ready;
}

static void write_cc(uint32_t value)
{
    bool was = cc & 1;

    cc = value;
    if (!was && (value & 1)) {
        enable();
    } else if (was && !(value & 1)) {
        assert_true(csts & 3 || nvme_device.never_ready);
        wait = nvme_device.ticks_to_ready;
    }
}

void device_tick(void)
{
    if (wait == 0 || --wait > 0)
        return;
    if (cc & 1) {
        csts |= nvme_device.fails ? 2 : !nvme_device.never_ready;
    } else if (!nvme_device.never_stops) {
        csts = 0;
        pending_count = 0;
        predecessor = false;
        memset(&submissions, 0, sizeof(submissions));
        memset(&completions, 0, sizeof(completions));
    }
}

uint32_t device_read(unsigned window, uint64_t offset)
{
    assert_int_equal(window, 0);
    assert_int_equal(offset % 4, 0);
    if (nvme_device.cap == UINT64_MAX)
        return UINT32_MAX;
    switch (offset) {
    case 0:
        return (uint32_t)nvme_device.cap;
    case 4:
        return (uint32_t)(nvme_device.cap >> 32);
    case 0x14:
        return cc;
    case 0x1c:
        return csts;
    }
    fail();
    return 0;
}

static void doorbell(uint64_t number, uint32_t value)
{
    unsigned queue = (unsigned)(number / 2);
    struct queue *q = number % 2 == 0 ? &submissions[queue] : &completions[queue];

    assert_true(queue < 2);
    assert_int_equal(csts, 1);
    assert_true(value < q->entries);
    if (number % 2 == 0) {
        q->tail = value;
        fetch(queue);
    } else {
        q->head = value;
    }
}

void device_write(unsigned window, uint64_t offset, uint32_t value)
{
    uint64_t stride = 4ULL << (nvme_device.cap >> 32 & 0xf);

    assert_int_equal(window, 0);
    if (offset >= 0x1000) {
        assert_int_equal((offset - 0x1000) % stride, 0);
        doorbell((offset - 0x1000) / stride, value);
        return;
    }
    if (offset != 0x14)
        assert_int_equal(cc & 1, 0); /* 3.1.3: the queues are set while it is stopped */
    switch (offset) {
    case 0x14:
        write_cc(value);
        return;
    case 0x24:
        aqa = value;
        return;
    case 0x28:
    case 0x2c:
        memcpy((uint8_t *)&asq + (offset - 0x28), &value, 4);
        return;
    case 0x30:
    case 0x34:
        memcpy((uint8_t *)&acq + (offset - 0x30), &value, 4);
        return;
    }
    fail();
}
