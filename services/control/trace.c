/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/control/trace.h"

#include "abi/process.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "lib/trace_pack.h"

#define RECORD sizeof(struct trace_record)

static const uint8_t *rings;
static uint32_t ring_count;

void trace_init(const struct trace_ring *first, uint32_t count)
{
    rings = (const uint8_t *)first;
    ring_count = count;
}

/* The oldest record that is not being written over. */
static uint64_t oldest(uint64_t tail)
{
    return tail < TRACE_SIZE ? 0 : tail - TRACE_SIZE + RECORD;
}

static uint64_t load_tail(const struct trace_ring *ring)
{
    return __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

/* As many records from is->next on as there is room for. Returns their bytes. */
static size_t pack(const struct trace_ring *ring, struct control_records *is, uint8_t *to,
                   size_t room)
{
    struct trace_pack frame = {.count = 0};
    struct trace_record record;
    size_t used = 0, size;

    for (; is->next < is->tail; is->next += RECORD, used += size) {
        memcpy(&record, &ring->bytes[is->next % TRACE_SIZE], RECORD);
        size = trace_pack(&frame, &record, to + used, room - used);
        if (size == 0)
            break;
    }
    return used;
}

/* What was written over meanwhile, on another CPU, is given up: the tail is read again behind the
 * copy. */
enum control_error trace_records(const struct control_request *r, struct control_answer *a)
{
    const struct trace_ring *ring = (const void *)(rings + r->vm * PROCESS_TRACE_STRIDE);
    struct control_records is = {.at = r->argument};

    if (r->vm >= ring_count)
        return CONTROL_NO_VM;
    is.tail = load_tail(ring);
    is.cpu = ring->cpu;
    if (is.at > is.tail || !is_aligned(is.at, RECORD))
        is.at = is.tail;
    is.next = is.at = max_u64(is.at, oldest(is.tail));
    size_t size = pack(ring, &is, a->data + sizeof(is), CONTROL_DATA - sizeof(is));
    uint64_t tail = load_tail(ring);
    if (oldest(tail) > is.at) {
        is.at = is.next = oldest(tail);
        size = 0;
    }
    memcpy(a->data, &is, sizeof(is));
    a->size = (uint16_t)(sizeof(is) + size);
    return CONTROL_OK;
}
