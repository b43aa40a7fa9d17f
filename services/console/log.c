/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/log.h"

#include "lib/bits.h"

static struct log_reader *reader;
static const struct log_ring *ring;

void log_open(void *at)
{
    reader = at;
    ring = (const void *)((char *)at + PAGE_SIZE);
}

static void copy(void *to, uint64_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = ring->bytes[(from + i) % LOG_RING_SIZE];
}

bool log_peek(struct log_entry *entry)
{
    uint64_t head = reader->head;

    if (__atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) == head)
        return false;
    copy(&entry->is, head, sizeof(entry->is));
    entry->is.length = (uint16_t)min_u64(entry->is.length, LOG_LINE_MAX);
    copy(entry->text, head + sizeof(entry->is), entry->is.length);
    return true;
}

void log_next(const struct log_entry *entry)
{
    uint64_t size = align_up(sizeof(entry->is) + entry->is.length, LOG_ALIGN);

    __atomic_store_n(&reader->head, reader->head + size, __ATOMIC_RELEASE);
}
