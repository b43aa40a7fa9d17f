/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that is reset, in each way that there is, while its disk is at work. In each of its
 * lives it writes sectors of its own and flushes them: they are there in all that follow. Then it
 * asks for reads into this kernel's image and for writes from there, and is reset a while later, in
 * each life after another while. In the next one the image is what was loaded: no read of the life
 * before is still under way. And what was being written is new or old, never what the memory has
 * since.
 */
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"
#include "lib/string.h"

#define VECTOR       0x60
#define F_FLUSH      BIT(9)
#define FEATURES     (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | F_FLUSH)
#define SECTOR       512u
#define HEADER       16u
#define SLOTS        8u
#define SLOT_SECTORS 32u
#define SLOT_BYTES   (SLOT_SECTORS * SECTOR)
#define LONG_TIMES   6u /* a read that is left under way goes so often to one place */
#define LONG_BYTES   0x40000u
_Static_assert(LONG_TIMES + 2 <= VIRTQ_SIZE, "a chain is no longer than its queue");
#define KEPT        2048u /* the first sector of those that are written once */
#define LIVES       15u
#define LEAST_MS    120u  /* of a life: the monitor holds back the start after a shorter one */
#define LATER       4000u /* each life is reset so many ticks later than the one before */
#define TIMING_LEAF 0x40000010
#define CMOS_FREE   0x60
#define MARK        0x40 /* and the number of the life */
#define FRESH       0x5a /* each byte of the image's part */

#define KBC_COMMAND     0x64
#define KBC_PULSE_RESET 0xfe

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4 };
enum { S_OK, S_NONE = 0xee };

/* The image's part. It is aligned, so that the device itself reads and writes it. */
static struct {
    _Alignas(PAGE_SIZE) uint8_t from[SLOTS][SLOT_BYTES], to[LONG_BYTES];
} image = {{[0 ... SLOTS - 1] = {[0 ... SLOT_BYTES - 1] = FRESH}},
           {[0 ... LONG_BYTES - 1] = FRESH}};

static struct request {
    uint32_t type, reserved;
    uint64_t sector;
    volatile uint8_t status;
    _Alignas(16) struct virtq_descriptor table[2 + LONG_TIMES];
} requests[SLOTS];

static struct virtio disk;
static unsigned life;
static bool good = true;

static void expect(bool holds, const char *what)
{
    if (!holds)
        diag("life %u: not so: %s", life, what);
    good = good && holds;
}

/* Data of so many pieces, which all lie in the same place. */
static void offer(unsigned slot, uint32_t type, uint64_t sector, void *data, uint32_t size,
                  unsigned pieces)
{
    struct request *r = &requests[slot];
    struct virtq_descriptor *d = r->table;
    uint16_t flags = VIRTQ_NEXT | (type == T_IN ? VIRTQ_WRITE : 0), next = 1;

    *r = (struct request){.type = type, .sector = sector, .status = S_NONE};
    *d++ = (struct virtq_descriptor){(uintptr_t)r, HEADER, VIRTQ_NEXT, next};
    for (; pieces > 0; pieces--)
        *d++ = (struct virtq_descriptor){(uintptr_t)data, size, flags, ++next};
    *d++ = (struct virtq_descriptor){(uintptr_t)&r->status, 1, VIRTQ_WRITE, 0};
    disk.queue.descriptors[slot] = (struct virtq_descriptor){
        (uintptr_t)r->table, (uint32_t)((uintptr_t)d - (uintptr_t)r->table), VIRTQ_INDIRECT, 0};
    virtio_offer(&disk, (uint16_t)slot);
}

static void request(uint32_t type, uint64_t sector, void *data)
{
    uint32_t written;

    offer(0, type, sector, data, SLOT_BYTES, type != T_FLUSH);
    while (virtio_take(&disk, &written) < 0)
        sti_hlt_cli();
    if (requests[0].status != S_OK)
        bail_out("life %u: request %u at sector %lu has status %x", life, type, sector,
                 requests[0].status);
}

/* Each word of a sector in a generation. */
static uint32_t word(uint64_t sector, unsigned generation)
{
    return generation << 16 | (uint32_t)sector;
}

static void fill(void *data, uint64_t sector, unsigned generation)
{
    uint32_t *words = data;

    for (unsigned i = 0; i < SLOT_BYTES / 4; i++)
        words[i] = word(sector + i / (SECTOR / 4), generation);
}

/* Whether each sector is of this generation, or as a whole of the other one. */
static bool is_of(const void *data, uint64_t sector, unsigned generation, unsigned other)
{
    const uint32_t *words = data;

    for (unsigned i = 0; i < SLOT_BYTES / 4; i++) {
        uint64_t at = sector + i / (SECTOR / 4);
        bool same = i % (SECTOR / 4) == 0 || words[i] == words[i - 1];

        if (!same || (words[i] != word(at, generation) && words[i] != word(at, other)))
            return false;
    }
    return true;
}

static bool image_is_fresh(void)
{
    const uint64_t *words = (const uint64_t *)&image, fresh = UINT64_MAX / UINT8_MAX * FRESH;

    for (unsigned i = 0; i < sizeof(image) / 8; i++)
        if (words[i] != fresh)
            return false;
    return true;
}

static uint64_t sector_of(unsigned slot)
{
    return slot * SLOT_SECTORS;
}

static uint64_t kept(unsigned of)
{
    return KEPT + of * SLOT_SECTORS;
}

/* Of a life: 2 * life is flushed, and 2 * life + 1 was being written at its end, to even slots. */
static void look_back(void *data)
{
    unsigned last = 2 * (life - 1);

    for (unsigned of = 0; of < life; of++) {
        request(T_IN, kept(of), data);
        expect(is_of(data, kept(of), 2 * of, 2 * of), "what was flushed once is there");
    }
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        request(T_IN, sector_of(slot), data);
        expect(is_of(data, sector_of(slot), last, last + (slot % 2 == 0)),
               "a sector that was being written is old or new");
    }
}

static void write_all(void *data)
{
    fill(data, kept(life), 2 * life);
    request(T_OUT, kept(life), data);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        fill(data, sector_of(slot), 2 * life);
        request(T_OUT, sector_of(slot), data);
    }
    request(T_FLUSH, 0, data);
}

static void wait_until(uint64_t tsc)
{
    while (rdtsc() < tsc)
        cpu_relax();
}

static void leave_under_way(void)
{
    for (unsigned slot = 0; slot < SLOTS; slot += 2) {
        fill(image.from[slot], sector_of(slot), 2 * life + 1);
        offer(slot, T_OUT, sector_of(slot), image.from[slot], SLOT_BYTES, 1);
        offer(slot + 1, T_IN, 0, image.to, LONG_BYTES, LONG_TIMES);
    }
    wait_until(rdtsc() + life * LATER);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (requests[slot].status != S_NONE && requests[slot].status != S_OK)
            bail_out("life %u: request %u failed", life, slot);
}

static void by_pulse(void)
{
    outb(KBC_COMMAND, KBC_PULSE_RESET);
}

static void by_triple_fault(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};

    __asm__ volatile("lidt %0; int3" : : "m"(empty));
}

/* The description's on-halt is restart. */
static void by_halt(void)
{
    __asm__ volatile("cli; hlt");
}

static void with_the_disk(void)
{
    disk.common->status = 0;
    reset();
}

static void (*const ways[])(void) = {reset, by_pulse, by_triple_fault, by_halt, with_the_disk};

void guest_main(void)
{
    uint64_t begin = rdtsc();
    bool was_fresh = image_is_fresh();
    void *data = page_alloc();

    for (unsigned i = 1; i < SLOT_BYTES / PAGE_SIZE; i++)
        page_alloc(); /* they follow each other */
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(VECTOR);
    life = cmos_read(CMOS_FREE) - MARK;
    if (life > LIVES)
        life = 0;
    if (!virtio_find(&disk, VIRTIO_ID_BLOCK) || !virtio_start(&disk, FEATURES, VECTOR))
        bail_out("life %u: there is no disk", life);
    expect(was_fresh, "the image is as it was loaded");
    if (life > 0)
        look_back(data);
    expect(image_is_fresh(), "nothing has come to the image later");
    if (!good)
        bail_out("life %u is wrong", life);
    cmos_write(CMOS_FREE, (uint8_t)(MARK + life + 1));
    if (life < LIVES) {
        write_all(data);
        wait_until(begin + (uint64_t)cpuid(TIMING_LEAF, 0).eax * LEAST_MS);
        leave_under_way();
        ways[life % ARRAY_SIZE(ways)]();
        bail_out("life %u does not end", life);
    }
    cmos_write(CMOS_FREE, 0);
    ok(true, "%u lives ended with the disk at work, and nothing of one came to the next", LIVES);
}
