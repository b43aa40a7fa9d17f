/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/log.h"

#include "lib/bits.h"
#include "lib/string.h"

/* What is taken and not out is no more than this, for the sake of ring 0, which has the rest. */
#define NOT_OUT (LOG_RING_SIZE / 8)

static struct log_reader *reader;
static const struct log_ring *ring;
static uint64_t head; /* behind what is taken; the reader's: behind what is out */

static uint64_t tail(void)
{
    return __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

/* A reader before us may have left a head that is none. */
void log_open(void *at)
{
    reader = at;
    ring = (const void *)((char *)at + PAGE_SIZE);
    head = reader->head;
    if (tail() - head > LOG_RING_SIZE || !is_aligned(head, LOG_ALIGN))
        reader->head = head = tail();
}

static void copy(void *to, uint64_t from, size_t size)
{
    size_t start = from % LOG_RING_SIZE, first = min_u64(size, LOG_RING_SIZE - start);

    memcpy(to, &ring->bytes[start], first);
    memcpy((uint8_t *)to + first, ring->bytes, size - first);
}

bool log_peek(struct log_entry *entry)
{
    if ((int64_t)(tail() - head) <= 0)
        return false;
    copy(&entry->is, head, sizeof(entry->is));
    entry->is.length = (uint16_t)min_u64(entry->is.length, LOG_LINE_MAX);
    copy(entry->text, head + sizeof(entry->is), entry->is.length);
    return true;
}

void log_next(const struct log_entry *entry)
{
    head += align_up(sizeof(entry->is) + entry->is.length, LOG_ALIGN);
}

void log_out(bool all)
{
    if (reader->head != head && (all || head - reader->head > NOT_OUT))
        __atomic_store_n(&reader->head, head, __ATOMIC_RELEASE);
}

void log_ask(void)
{
    __atomic_store_n(&reader->asked, reader->asked + 1, __ATOMIC_RELEASE);
}
