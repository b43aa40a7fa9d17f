/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue: see queue.h. Section numbers are those of virtio 1.2. */
#include "monitor/virtio/queue.h"

#include "lib/string.h"

#define DESCRIPTOR_SIZE     16u
#define DESCRIPTOR_NEXT     1u
#define DESCRIPTOR_WRITE    2u
#define DESCRIPTOR_INDIRECT 4u

#define AVAILABLE_FLAGS        0u
#define AVAILABLE_INDEX        2u
#define AVAILABLE_RING         4u
#define AVAILABLE_NO_INTERRUPT 1u
#define USED_INDEX             2u
#define USED_RING              4u
#define USED_ENTRY             8u

struct descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};

/* One access each, in the order of the program, as another CPU may be writing: x86 keeps loads in
 * order, and stores. Only a load behind a store needs a fence. */
static uint16_t load_16(const uint8_t *at)
{
    return __atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE);
}

static void store_16(uint8_t *at, uint16_t value)
{
    __atomic_store_n((uint16_t *)at, value, __ATOMIC_RELEASE);
}

static void fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* An indirect table may lie at any address. */
static struct descriptor load_descriptor(const uint8_t *table, uint32_t index)
{
    const uint8_t *at = table + index * (uint64_t)DESCRIPTOR_SIZE;
    uint64_t address, rest; /* in registers, by a load each */

    __builtin_memcpy(&address, at, sizeof(address));
    __builtin_memcpy(&rest, at + sizeof(address), sizeof(rest));
    __asm__ volatile("" : "+r"(address), "+r"(rest)); /* from here on the copy is looked at */
    return (struct descriptor){address, (uint32_t)rest, (uint16_t)(rest >> 32),
                               (uint16_t)(rest >> 48)};
}

bool virtq_enable(struct virtqueue *q, const struct guest_memory *memory)
{
    uint64_t size = q->size;

    q->memory = memory;
    q->next_available = q->next_used = q->notified = 0;
    if (!is_aligned(q->at.descriptors, 16) || !is_aligned(q->at.available, 2) ||
        !is_aligned(q->at.used, 4))
        return false;
    q->descriptors = guest_memory_at(memory, q->at.descriptors, size * DESCRIPTOR_SIZE);
    q->available = guest_memory_at(memory, q->at.available, 6 + 2 * size);
    q->used = guest_memory_at(memory, q->at.used, 6 + USED_ENTRY * size);
    q->enabled = q->descriptors != NULL && q->available != NULL && q->used != NULL;
    return q->enabled;
}

/* A buffer of the chain. One of no bytes is none. */
static bool add(const struct virtqueue *q, struct virtq_chain *c, const struct descriptor *d)
{
    if (!(d->flags & DESCRIPTOR_WRITE) && c->count > c->readable)
        return false; /* 2.7.4.2: the writable ones are the last */
    if (d->size == 0)
        return true;
    if (!guest_memory_has(q->memory, d->address, d->size))
        return false;
    c->pieces[c->count++] = (struct guest_piece){d->address, d->size};
    if (d->flags & DESCRIPTOR_WRITE) {
        c->writable_size += d->size;
    } else {
        c->readable_size += d->size;
        c->readable++;
    }
    return true;
}

/* The table that ends a chain (2.7.5.3), and its size in descriptors; NULL: there cannot be one. */
static const uint8_t *indirect_table(const struct virtqueue *q, const struct descriptor *d,
                                     uint32_t *size)
{
    if (!q->indirect || d->flags & DESCRIPTOR_NEXT || d->size == 0 ||
        d->size % DESCRIPTOR_SIZE != 0)
        return NULL;
    *size = d->size / DESCRIPTOR_SIZE;
    return guest_memory_at(q->memory, d->address, d->size);
}

/* Follows a chain from its head. There are no more steps than pieces and a table, so that a loop
 * ends as a chain that is too long. */
static bool follow(const struct virtqueue *q, struct virtq_chain *c)
{
    const uint8_t *table = q->descriptors;
    uint32_t index = c->head, size = q->size;
    bool indirect = false;

    for (unsigned left = VIRTQ_PIECES; left > 0; left--) {
        if (index >= size)
            return false;
        struct descriptor d = load_descriptor(table, index);

        if (d.flags & DESCRIPTOR_INDIRECT) {
            table = indirect ? NULL : indirect_table(q, &d, &size);
            if (table == NULL)
                return false;
            indirect = true;
            index = 0;
            left++;
            continue;
        }
        if (!add(q, c, &d))
            return false;
        if (!(d.flags & DESCRIPTOR_NEXT))
            return true;
        index = d.next;
    }
    return false;
}

/* How many chains wait; more than the ring holds cannot be. */
static uint16_t waiting(const struct virtqueue *q)
{
    return (uint16_t)(load_16(q->available + AVAILABLE_INDEX) - q->next_available);
}

/* 2.7.10: the driver writes an entry with this index, and notifies. It may have done so before it
 * could see that. */
static uint16_t waiting_after_all(struct virtqueue *q)
{
    if (q->event_idx)
        store_16(q->used + USED_RING + USED_ENTRY * (uint64_t)q->size, q->next_available);
    fence();
    return waiting(q);
}

/* Not within who calls it: it wants all registers. */
__attribute__((noinline)) enum virtq_result virtq_next(struct virtqueue *q, struct virtq_chain *c)
{
    uint16_t count = waiting(q), slot = q->next_available & (q->size - 1);

    if (count == 0)
        count = waiting_after_all(q);
    if (count == 0)
        return VIRTQ_EMPTY;
    if (count > q->size)
        return VIRTQ_BROKEN;
    c->head = load_16(q->available + AVAILABLE_RING + 2 * (uint64_t)slot);
    c->readable = c->count = 0;
    c->readable_size = c->writable_size = 0;
    if (!follow(q, c))
        return VIRTQ_BROKEN;
    q->next_available++;
    return VIRTQ_CHAIN;
}

void virtq_back(struct virtqueue *q, uint16_t count)
{
    q->next_available = (uint16_t)(q->next_available - count);
}

void virtq_fill(struct virtqueue *q, uint16_t ahead, uint16_t head, uint32_t written)
{
    uint32_t entry[2] = {head, written};
    uint16_t slot = (uint16_t)(q->next_used + ahead) & (q->size - 1);

    __builtin_memcpy(q->used + USED_RING + USED_ENTRY * (uint64_t)slot, entry, sizeof(entry));
}

/* 2.7.8.2: after the entries. */
void virtq_flush(struct virtqueue *q, uint16_t count)
{
    q->next_used = (uint16_t)(q->next_used + count);
    store_16(q->used + USED_INDEX, q->next_used);
}

void virtq_put(struct virtqueue *q, uint16_t head, uint32_t written)
{
    virtq_fill(q, 0, head, written);
    virtq_flush(q, 1);
}

bool virtq_wants_interrupt(struct virtqueue *q)
{
    uint16_t added = (uint16_t)(q->next_used - q->notified);

    q->notified = q->next_used;
    if (added == 0)
        return false;
    fence(); /* the used index is out before the driver's wish is looked at */
    if (!q->event_idx)
        return !(load_16(q->available + AVAILABLE_FLAGS) & AVAILABLE_NO_INTERRUPT);
    uint16_t event = load_16(q->available + AVAILABLE_RING + 2 * (uint64_t)q->size);

    /* One of the entries added was written at this index. */
    return (uint16_t)(q->next_used - 1 - event) < added;
}
