/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the virtio devices of a machine answer to a fixed sequence of requests, a line for each: the
 * entries of the used ring (head, length, status), whether an interrupt came, whether the device
 * wants to be told of the next chain, and whether it has given up (2: and told so). The lines of
 * QEMU's devices are compared with those of Lintel's (tests/qemu/rings.sh). Section numbers are
 * those of virtio 1.2.
 */
#include "guests/rings.h"

struct virtio rings_device;
struct virtq *rings_queue = &rings_device.queue;
struct virtq rings_second;
struct virtq_descriptor *rings_table;
uint8_t *rings_out, *rings_in;
uint8_t *rings_status[VIRTQ_SIZE];

static const char *device;

bool rings_gave_up(void)
{
    return rings_device.common->status & VIRTIO_NEEDS_RESET;
}

/* A look at the status is answered by the device, behind all that it did before. */
void rings_settle(unsigned patience)
{
    const struct virtq *q = rings_queue;

    while (!rings_gave_up() && q->used->index != q->available->index && patience-- > 0)
        for (unsigned i = 0; i < 100; i++)
            cpu_relax();
    rings_gave_up();
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* 2.7.10. Who has given up wants nothing. */
static bool wants_kick(void)
{
    const struct virtq *q = rings_queue;

    if (rings_gave_up())
        return false;
    return rings_device.features & VIRTIO_F_EVENT_IDX
               ? q->used->available_event == q->available->index
               : !(q->used->flags & 1);
}

static void show_entry(const char *comma, uint32_t id, uint32_t written)
{
    if (rings_status[id] == NULL)
        print("%s%u:%u", comma, id, written);
    else
        print("%s%u:%u:%u", comma, id, written, *rings_status[id]);
}

/* What was used together is sorted by its head: a device may use it in any order. */
void rings_show(const char *name, const char *more)
{
    struct virtq *q = rings_queue;
    const char *comma = "";

    print("%s/%s used=", device, name);
    for (uint32_t id = 0; id < VIRTQ_SIZE; id++)
        for (uint16_t i = q->taken; i != q->used->index; i++)
            if (q->used->ring[i % VIRTQ_SIZE].id == id) {
                show_entry(comma, id, q->used->ring[i % VIRTQ_SIZE].size);
                comma = ",";
            }
    print(" interrupt=%u kick=%u reset=%u %s\n", virtio_interrupts > 0, wants_kick(),
          rings_gave_up() ? 1 + (virtio_changes > 0) : 0, more);
    q->taken = q->used->index;
    q->available->used_event = q->taken;
    virtio_interrupts = virtio_changes = 0;
}

bool rings_find(uint16_t id, const char *name)
{
    if (virtio_find(&rings_device, id)) {
        device = name;
        return true;
    }
    print("%s none\n", name);
    return false;
}

void rings_rename(const char *name)
{
    device = name;
}

/* A queue that is not looked at may interrupt for reasons of its own. */
static bool add_queue(struct virtq *q, uint16_t number)
{
    return virtio_add_queue(&rings_device, q, number, q == rings_queue ? 0 : VIRTIO_NO_VECTOR);
}

bool rings_begin(uint64_t features)
{
    if (!virtio_negotiate(&rings_device, features))
        return false;
    virtio_set_vectors(&rings_device, RINGS_VECTOR);
    return add_queue(&rings_device.queue, 0) &&
           (rings_device.common->queues < 2 || add_queue(&rings_second, 1));
}

void rings_start(uint64_t features)
{
    if (!rings_begin(features) || !virtio_driver_ok(&rings_device))
        bail_out("%s does not start", device);
    memset(rings_status, 0, sizeof(rings_status));
    virtio_interrupts = virtio_changes = 0;
}

bool rings_interrupted(void)
{
    return virtio_interrupts > 0;
}

void rings_add(uint16_t head)
{
    uint16_t index = rings_queue->available->index;

    rings_queue->available->ring[index % VIRTQ_SIZE] = head;
    __asm__ volatile("" : : : "memory");
    rings_queue->available->index = index + 1;
}

void rings_offer(uint16_t head)
{
    rings_add(head);
    virtio_kick(&rings_device, rings_queue);
}

/* Chains. */

static unsigned lay(struct virtq_descriptor *d, unsigned n, const uint16_t *sizes, uint8_t *at,
                    uint16_t flags)
{
    for (unsigned i = 0; i < 4 && sizes[i] != 0; at += sizes[i++], n++)
        d[n] = (struct virtq_descriptor){(uintptr_t)at, sizes[i], flags | VIRTQ_NEXT,
                                         (uint16_t)(n + 1)};
    return n;
}

void rings_refer(unsigned n, struct virtq_descriptor *to, unsigned count, uint16_t flags)
{
    rings_queue->descriptors[n] = (struct virtq_descriptor){
        (uintptr_t)to, (uint32_t)(count * sizeof(*to)), VIRTQ_INDIRECT | flags, 0};
}

static void put_table(uint8_t *at, const struct virtq_descriptor *d, unsigned count,
                      unsigned before)
{
    for (unsigned i = 0; i < count; i++) {
        struct virtq_descriptor moved = d[i];

        moved.next -= (uint16_t)before;
        memcpy(at + i * sizeof(moved), &moved, sizeof(moved));
    }
    rings_refer(before, (void *)at, count, 0);
}

void rings_build(const struct shape *s)
{
    struct virtq_descriptor d[8], *direct = rings_queue->descriptors;
    unsigned count = lay(d, 0, s->reads, rings_out, 0);
    uint8_t *table = (uint8_t *)rings_table + (s->how == CROOKED ? 1 : 0);

    count = lay(d, count, s->writes, rings_in, VIRTQ_WRITE);
    d[count - 1].flags &= (uint16_t)~VIRTQ_NEXT;
    if (s->how == DIRECT) {
        memcpy(direct, d, count * sizeof(*d));
    } else if (s->how == BEHIND) {
        direct[0] = d[0];
        put_table(table, d + 1, count - 1, 1);
    } else {
        put_table(table, d, count, 0);
        direct[0].flags |= s->how == INDIRECT_WRITE ? VIRTQ_WRITE : 0;
    }
}

unsigned rings_written(const struct shape *s)
{
    unsigned size = 0;

    for (unsigned i = 0; i < 4; i++)
        size += s->writes[i];
    return size;
}

void guest_main(void)
{
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(RINGS_VECTOR);
    rings_table = page_alloc();
    rings_out = page_alloc();
    rings_in = page_alloc();
    for (unsigned i = 1; i < IN_PAGES; i++)
        page_alloc(); /* they follow each other */
    rings_block();
    rings_entropy();
    rings_net();
    rings_console();
    ok(true, "all lines are there");
}
