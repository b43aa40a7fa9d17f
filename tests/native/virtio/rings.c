/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/virtio/rings.h"

#include <stdlib.h>
#include <string.h>

struct rings *rings_make(uint16_t size)
{
    struct rings *r = calloc(1, sizeof(*r));

    r->memory = guest_memory_make(calloc(1, MEMORY), MEMORY);
    r->queue = (struct virtqueue){
        .size = size, .at.descriptors = DESCRIPTORS, .at.available = AVAILABLE, .at.used = USED};
    assert_true(virtq_enable(&r->queue, &r->memory));
    return r;
}

void rings_free(struct rings *r)
{
    free(r->memory.base);
    free(r);
}

void set_descriptor(struct rings *r, uint64_t table, unsigned index, uint64_t address,
                    uint32_t size, uint16_t flags, uint16_t next)
{
    uint8_t *at = r->memory.base + table + 16 * index;

    memcpy(at, &address, 8);
    memcpy(at + 8, &size, 4);
    memcpy(at + 12, &flags, 2);
    memcpy(at + 14, &next, 2);
}

uint16_t get_16(const struct rings *r, uint64_t at)
{
    uint16_t value;

    memcpy(&value, r->memory.base + at, sizeof(value));
    return value;
}

uint32_t get_32(const struct rings *r, uint64_t at)
{
    uint32_t value;

    memcpy(&value, r->memory.base + at, sizeof(value));
    return value;
}

void set_16(struct rings *r, uint64_t at, uint16_t value)
{
    memcpy(r->memory.base + at, &value, sizeof(value));
}

void offer(struct rings *r, uint16_t head)
{
    uint16_t index = get_16(r, AVAILABLE + 2);

    set_16(r, AVAILABLE + 4 + 2 * (index % r->queue.size), head);
    set_16(r, AVAILABLE + 2, index + 1);
}

uint64_t random_word(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
