/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/console/log.h"

#include "lib/bits.h"
#include "lib/string.h"

static struct log_reader *reader;
static const struct log_ring *ring;

static uint64_t tail(void)
{
    return __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

/* A reader before us may have left a head that is none. */
void log_open(void *at)
{
    reader = at;
    ring = (const void *)((char *)at + LOG_READER_SIZE);
    if (tail() - reader->head > LOG_RING_SIZE || !is_aligned(reader->head, LOG_ALIGN))
        reader->head = tail();
    log_look(false);
}

static void copy(void *to, uint64_t from, size_t size)
{
    size_t start = from % LOG_RING_SIZE, first = min_u64(size, LOG_RING_SIZE - start);

    memcpy(to, &ring->bytes[start], first);
    memcpy((uint8_t *)to + first, ring->bytes, size - first);
}

static bool peek(uint64_t at, struct log_entry *entry)
{
    if ((int64_t)(tail() - at) <= 0)
        return false;
    copy(&entry->is, at, sizeof(entry->is));
    entry->is.length = (uint16_t)min_u64(entry->is.length, LOG_LINE_MAX);
    copy(entry->text, at + sizeof(entry->is), entry->is.length);
    return true;
}

static uint64_t behind(uint64_t at, const struct log_entry *entry)
{
    return at + align_up(sizeof(entry->is) + entry->is.length, LOG_ALIGN);
}

bool log_peek(struct log_entry *entry)
{
    return peek(reader->head, entry);
}

void log_next(const struct log_entry *entry)
{
    __atomic_store_n(&reader->head, behind(reader->head, entry), __ATOMIC_RELEASE);
}

bool log_tells_end(uint32_t vm)
{
    struct log_entry entry;

    for (uint64_t at = reader->head; peek(at, &entry); at = behind(at, &entry))
        if (entry.is.kind == LOG_VM_ENDED && entry.is.vm == vm)
            return true;
    return false;
}

void log_look(bool looks)
{
    __atomic_store_n(&reader->looks, looks, __ATOMIC_SEQ_CST);
}

void log_ask(void)
{
    __atomic_store_n(&reader->asked, reader->asked + 1, __ATOMIC_RELEASE);
}
