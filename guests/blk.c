/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM's disk by virtio-blk. Sector n of the disk begins as n in each of its 32-bit words, for
 * the first 2048 sectors (tests/bochs/blk.sh).
 */
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/string.h"

#define VECTOR       0x60
#define F_RO         BIT(5)
#define F_FLUSH      BIT(9)
#define FEATURES     (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | F_RO | F_FLUSH)
#define SECTOR       512u
#define KNOWN        2048u /* sectors */
#define PATIENCE     1000000
#define CMOS_FREE    0x60
#define MARK         0xb7 /* there: the machine has been reset */
#define PAGE_SECTORS (uint32_t)(PAGE_SIZE / SECTOR)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8 };
enum { S_OK, S_IOERR, S_UNSUPP, S_NONE = 0xee };

/* Two of them, in one page. */
struct request {
    uint32_t type, reserved;
    uint64_t sector;
    volatile uint8_t status;
};

static struct virtio blk;
static struct request *requests;
static uint32_t *data;

static void offer(unsigned slot, uint32_t type, uint64_t sector, void *buffer, uint32_t size)
{
    struct virtq_descriptor *d = &blk.queue.descriptors[3 * slot];
    struct request *r = &requests[slot];
    uint16_t write = type == T_OUT ? 0 : VIRTQ_WRITE;

    *r = (struct request){type, 0, sector, S_NONE};
    d[0] = (struct virtq_descriptor){(uintptr_t)r, 16, VIRTQ_NEXT, (uint16_t)(3 * slot + 1)};
    d[1] = (struct virtq_descriptor){(uintptr_t)buffer, size, VIRTQ_NEXT | write,
                                     (uint16_t)(3 * slot + 2)};
    d[2] = (struct virtq_descriptor){(uintptr_t)&r->status, 1, VIRTQ_WRITE, 0};
    virtio_offer(&blk, (uint16_t)(3 * slot));
}

/* Whether the used ring has come so far; the interrupts for it are taken. */
static bool wait_for(uint16_t index)
{
    for (unsigned i = 0; i < PATIENCE && blk.queue.used->index != index; i++)
        cpu_relax();
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    return blk.queue.used->index == index;
}

static unsigned request(uint32_t type, uint64_t sector, void *buffer, uint32_t size)
{
    uint32_t written;

    offer(0, type, sector, buffer, size);
    if (!wait_for(blk.queue.taken + 1))
        bail_out("the disk does not answer");
    virtio_take(&blk, &written);
    blk.queue.available->used_event = blk.queue.taken;
    return requests[0].status;
}

/* Whether each sector is as it began, times `factor`. */
static bool is_known(const void *buffer, uint64_t sector, uint32_t sectors, uint32_t factor)
{
    for (uint32_t i = 0; i < sectors * SECTOR / 4; i++) {
        uint32_t word;

        memcpy(&word, (const uint8_t *)buffer + 4 * i, sizeof(word));
        if (word != factor * ((uint32_t)sector + i / (SECTOR / 4)))
            return false;
    }
    return true;
}

static void fill(uint64_t sector, uint32_t sectors, uint32_t factor)
{
    for (uint32_t i = 0; i < sectors * SECTOR / 4; i++)
        data[i] = factor * ((uint32_t)sector + i / (SECTOR / 4));
}

static void test_reads(void)
{
    bool good = true;

    virtio_interrupts = 0;
    is(request(T_IN, 0, data, SECTOR), S_OK, "a sector is read");
    ok(is_known(data, 0, 1, 1), "it is what the disk had");
    is(virtio_interrupts, 1, "an interrupt tells of it");
    for (uint64_t sector = 1; sector < KNOWN - PAGE_SECTORS; sector += 97)
        good = good && request(T_IN, sector, data, PAGE_SIZE) == S_OK &&
               is_known(data, sector, PAGE_SECTORS, 1);
    ok(good, "pages are read from anywhere");
    is(request(T_IN, 40, (uint8_t *)data + 3, PAGE_SIZE), S_OK, "a buffer at an odd address");
    ok(is_known((uint8_t *)data + 3, 40, PAGE_SECTORS, 1), "it has what the disk had");
    is(request(T_IN, 8, data, 64 * SECTOR), S_OK, "64 sectors at once");
    ok(is_known(data, 8, 64, 1), "they are what the disk had");
}

static void test_errors(void)
{
    uint64_t capacity = *(volatile uint64_t *)blk.config;
    char id[20] = "";

    ok(capacity >= KNOWN, "the disk has a size");
    is(request(T_IN, capacity - 1, data, SECTOR), S_OK, "the last sector is read");
    is(request(T_IN, capacity, data, SECTOR), S_IOERR, "one behind it is an error");
    is(request(T_IN, UINT64_MAX, data, SECTOR), S_IOERR, "so is the last number there is");
    is(request(T_IN, 0, data, SECTOR - 1), S_IOERR, "and half a sector");
    is(request(77, 0, data, SECTOR), S_UNSUPP, "an unknown request is not supported");
    is(request(T_GET_ID, 0, id, sizeof(id)), S_OK, "it has a name");
    is(request(T_FLUSH, 0, data, 0), S_OK, "a flush is done");
}

static void test_writes(void)
{
    bool good = true;

    if (blk.features & F_RO) {
        is(request(T_OUT, 0, data, SECTOR), S_IOERR, "a disk that is read-only is not written");
        return;
    }
    for (uint64_t sector = 1; sector < 1000; sector += 97) {
        fill(sector, PAGE_SECTORS, 3);
        good = good && request(T_OUT, sector, data, PAGE_SIZE) == S_OK;
    }
    ok(good, "pages are written");
    is(request(T_FLUSH, 0, data, 0), S_OK, "and flushed");
    for (uint64_t sector = 1; sector < 1000; sector += 97)
        good = good && request(T_IN, sector, data, PAGE_SIZE) == S_OK &&
               is_known(data, sector, PAGE_SECTORS, 3);
    ok(good, "they are read back");
    is(request(T_IN, 1 + PAGE_SECTORS, data, SECTOR), S_OK, "the sector behind one is read");
    ok(is_known(data, 1 + PAGE_SECTORS, 1, 1), "it is as it was");
}

static void test_two(void)
{
    uint32_t written, *second = data + PAGE_SIZE / 4;

    offer(0, T_IN, 1200, data, PAGE_SIZE);
    offer(1, T_IN, 1300, second, PAGE_SIZE);
    ok(wait_for(blk.queue.taken + 2), "two requests at once are answered");
    while (virtio_take(&blk, &written) >= 0)
        ;
    ok(is_known(data, 1200, PAGE_SECTORS, 1) && is_known(second, 1300, PAGE_SECTORS, 1),
       "each has its own sectors");
}

/* What is under way is over when the reset is. */
static void test_reset(void)
{
    bool same = true;

    offer(0, T_IN, 1400, data, PAGE_SIZE);
    blk.common->status = 0;
    while (blk.common->status != 0)
        cpu_relax();
    fill(0, PAGE_SECTORS, 0);
    for (unsigned i = 0; i < 1000; i++)
        same = same && data[PAGE_SIZE / 4 - 1] == 0 && blk.common->status == 0;
    ok(same, "after a reset the disk writes no more to memory");
    ok(virtio_start(&blk, FEATURES, VECTOR), "the device starts again");
    is(request(T_IN, 9, data, SECTOR), S_OK, "and reads");
}

void guest_main(void)
{
    if (!virtio_find(&blk, VIRTIO_ID_BLOCK))
        bail_out("there is no disk");
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(VECTOR);
    requests = page_alloc();
    data = page_alloc();
    for (unsigned i = 0; i < 15; i++)
        page_alloc(); /* they follow each other */
    if (cmos_read(CMOS_FREE) != MARK) {
        cmos_write(CMOS_FREE, MARK);
        virtio_start(&blk, FEATURES, VECTOR);
        offer(0, T_IN, 0, data, PAGE_SIZE);
        diag("a reset with a request under way");
        reset();
    }
    cmos_write(CMOS_FREE, 0);
    ok(virtio_start(&blk, FEATURES, VECTOR), "the device starts after a reset of the machine");
    test_reads();
    test_errors();
    test_writes();
    test_two();
    test_reset();
}
