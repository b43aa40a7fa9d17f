/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger is to count (bench/disk): reads of the VM's disk, as Linux's driver makes them:
 * each is a chain in an indirect table, one kick is for all that are there, and the guest halts
 * until they have ended. Each run stands between XCHG BX, BX; nothing but the kick and HLT exits in
 * it.
 */
#include "guests/lib/guest.h"
#include "guests/lib/virtio.h"

#define VECTOR       0x60
#define FEATURES     (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define RUNS         15
#define AT_ONCE      32
#define T_IN         0
#define SECTORS      (PAGE_SIZE / 512)
#define DISK_SECTORS 2048

/* In a page of its own. */
struct read {
    struct virtq_descriptor table[3];
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    volatile uint8_t status;
};

static struct virtio blk;
static struct read *reads[AT_ONCE];
static void *data[AT_ONCE];

static void mark(void)
{
    __asm__ volatile("xchgw %%bx, %%bx" : : : "memory");
}

/* The next interrupt is wanted for the next entry. */
static void on_interrupt(struct interrupt_frame *frame)
{
    blk.queue.available->used_event = blk.queue.used->index;
    apic_eoi();
}

static void make(uint16_t slot, uint64_t sector)
{
    struct read *r = reads[slot];

    r->header.type = T_IN;
    r->header.sector = sector;
    r->status = 0xff;
    r->table[0] = (struct virtq_descriptor){(uintptr_t)&r->header, 16, VIRTQ_NEXT, 1};
    r->table[1] =
        (struct virtq_descriptor){(uintptr_t)data[slot], PAGE_SIZE, VIRTQ_NEXT | VIRTQ_WRITE, 2};
    r->table[2] = (struct virtq_descriptor){(uintptr_t)&r->status, 1, VIRTQ_WRITE, 0};
    blk.queue.descriptors[slot] =
        (struct virtq_descriptor){(uintptr_t)r->table, sizeof(r->table), VIRTQ_INDIRECT, 0};
}

/* Whether all that were made are read. */
static bool take(unsigned count)
{
    uint32_t written;
    bool good = true;

    for (int head; (head = virtio_take(&blk, &written)) >= 0; count--)
        good = good && reads[head]->status == 0 && written == PAGE_SIZE + 1;
    return good && count == 0;
}

static void measure(unsigned count)
{
    static uint64_t sector;
    uint16_t heads[AT_ONCE];

    for (unsigned run = 0; run < RUNS; run++) {
        uint16_t end = (uint16_t)(blk.queue.used->index + count);

        for (uint16_t i = 0; i < count; i++) {
            heads[i] = i;
            make(i, sector);
            sector = (sector + 7 * SECTORS) % (DISK_SECTORS - SECTORS);
        }
        mark();
        virtio_offer_all(&blk, heads, count);
        while (blk.queue.used->index != end)
            sti_hlt_cli();
        mark();
        if (!take(count))
            bail_out("a read failed");
    }
}

void guest_main(void)
{
    apic_enable(APIC_X2);
    interrupt_handle(VECTOR, on_interrupt);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        reads[i] = page_alloc();
        data[i] = page_alloc();
    }
    if (!virtio_find(&blk, VIRTIO_ID_BLOCK) || !virtio_start(&blk, FEATURES, VECTOR))
        bail_out("there is no disk");
    measure(1);
    measure(AT_ONCE);
    ok(true, "measured");
}
