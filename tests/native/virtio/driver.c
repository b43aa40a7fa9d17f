/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/virtio/driver.h"

#include <string.h>

#define MESSAGE_CONTROL 2
#define MSIX_ENABLE     0x8000

uint32_t driver_config(struct driver *d, unsigned offset, unsigned size)
{
    board_out(d->board, 0, 0xcf8, 4, 0x80000000 | d->device << 11 | (offset & ~3u));
    return board_in(d->board, 0, (uint16_t)(0xcfc + (offset & 3)), size) &
           UINT32_MAX >> (32 - 8 * size);
}

void driver_set_config(struct driver *d, unsigned offset, unsigned size, uint32_t value)
{
    board_out(d->board, 0, 0xcf8, 4, 0x80000000 | d->device << 11 | (offset & ~3u));
    board_out(d->board, 0, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

static uint64_t place(struct driver *d, unsigned capability)
{
    unsigned bar = driver_config(d, capability + 4, 1);
    uint32_t base = driver_config(d, 0x10 + 4 * bar, 4);

    return (base & 1 ? base & ~3u : base & ~15u) + driver_config(d, capability + 8, 4);
}

static void capability(struct driver *d, unsigned at)
{
    if (driver_config(d, at, 1) == 0x11) {
        uint32_t table = driver_config(d, at + 4, 4);

        d->msix = driver_config(d, 0x10 + 4 * (table & 7), 4) + (table & ~7u);
        return;
    }
    assert_int_equal(driver_config(d, at, 1), 9);
    switch (driver_config(d, at + 3, 1)) {
    case 1:
        d->common = place(d, at);
        break;
    case 2:
        d->notify = (uint16_t)place(d, at);
        d->multiplier = (uint16_t)driver_config(d, at + 16, 4);
        break;
    case 3:
        d->isr = place(d, at);
        break;
    case 4:
        d->config = place(d, at);
        break;
    default:
        assert_int_equal(driver_config(d, at + 3, 1), 5);
    }
}

void driver_find(struct driver *d, struct board *board, unsigned device)
{
    *d = (struct driver){.board = board, .device = device};
    assert_true(driver_config(d, 6, 2) & 0x10);
    for (unsigned at = driver_config(d, 0x34, 1); at != 0; at = driver_config(d, at + 1, 1))
        capability(d, at);
}

uint32_t driver_get(struct driver *d, unsigned field, unsigned size)
{
    return (uint32_t)board_load(d->board, 0, d->common + field, size);
}

void driver_set(struct driver *d, unsigned field, unsigned size, uint32_t value)
{
    board_store(d->board, 0, d->common + field, size, value);
}

static void set_address(struct driver *d, unsigned field, uint64_t value)
{
    driver_set(d, field, 4, (uint32_t)value);
    driver_set(d, field + 4, 4, (uint32_t)(value >> 32));
}

static void set_vector(struct driver *d, unsigned entry)
{
    board_store(d->board, 0, d->msix + 16 * entry, 4, MESSAGE_BASE);
    board_store(d->board, 0, d->msix + 16 * entry + 8, 4, TEST_VECTOR + entry);
    board_store(d->board, 0, d->msix + 16 * entry + 12, 4, 0);
}

static unsigned msix_capability(struct driver *d)
{
    unsigned at = driver_config(d, 0x34, 1);

    while (driver_config(d, at, 1) != 0x11)
        at = driver_config(d, at + 1, 1);
    return at;
}

static void set_queue(struct driver *d, unsigned queue)
{
    uint64_t at = RINGS_AT + queue * RINGS_STRIDE;

    driver_set(d, QUEUE_SELECT, 2, queue);
    driver_set(d, QUEUE_SIZE, 2, TEST_SIZE);
    driver_set(d, QUEUE_VECTOR, 2, QUEUE_ENTRY(queue));
    set_address(d, QUEUE_DESC, at);
    set_address(d, QUEUE_DRIVER, at + AVAILABLE_AT);
    set_address(d, QUEUE_DEVICE, at + USED_AT);
    driver_set(d, QUEUE_ENABLE, 2, 1);
    d->available[queue] = d->used[queue] = 0;
    memset(driver_memory(d, at), 0, RINGS_STRIDE);
}

void driver_start(struct driver *d, uint64_t features)
{
    unsigned queues = driver_get(d, QUEUES, 2);

    driver_set_config(d, 4, 2, 7);
    driver_set_config(d, msix_capability(d) + MESSAGE_CONTROL, 2, MSIX_ENABLE);
    driver_set(d, STATUS, 1, 0);
    driver_set(d, STATUS, 1, ACKNOWLEDGE | DRIVER);
    for (unsigned half = 0; half < 2; half++) {
        driver_set(d, OFFERED_SELECT, 4, half);
        driver_set(d, ACCEPTED_SELECT, 4, half);
        driver_set(d, ACCEPTED, 4, driver_get(d, OFFERED, 4) & (uint32_t)(features >> 32 * half));
    }
    driver_set(d, STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    set_vector(d, CONFIG_ENTRY);
    driver_set(d, CONFIG_VECTOR, 2, CONFIG_ENTRY);
    for (unsigned queue = 0; queue < queues; queue++) {
        set_vector(d, QUEUE_ENTRY(queue));
        set_queue(d, queue);
    }
    driver_set(d, STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

uint8_t *driver_memory(struct driver *d, uint64_t address)
{
    return d->board->memory.base + address;
}

static uint8_t *ring(struct driver *d, unsigned queue, uint64_t offset)
{
    return driver_memory(d, RINGS_AT + queue * RINGS_STRIDE + offset);
}

void driver_describe(struct driver *d, unsigned queue, unsigned index, uint64_t address,
                     uint32_t size, uint16_t flags, uint16_t next)
{
    uint8_t *at = ring(d, queue, 16 * index);

    memcpy(at, &address, 8);
    memcpy(at + 8, &size, 4);
    memcpy(at + 12, &flags, 2);
    memcpy(at + 14, &next, 2);
}

void driver_kick(struct driver *d, unsigned queue)
{
    driver_set(d, QUEUE_SELECT, 2, queue);
    board_out(d->board, 0,
              (uint16_t)(d->notify + driver_get(d, QUEUE_NOTIFY_OFF, 2) * d->multiplier), 2, queue);
}

void driver_offer(struct driver *d, unsigned queue, uint16_t head)
{
    uint16_t *available = (uint16_t *)ring(d, queue, AVAILABLE_AT);

    available[2 + d->available[queue]++ % TEST_SIZE] = head;
    available[1] = d->available[queue];
    driver_kick(d, queue);
}

int driver_take(struct driver *d, unsigned queue, uint32_t *written)
{
    uint16_t *used = (uint16_t *)ring(d, queue, USED_AT);
    uint32_t *entry = (uint32_t *)(used + 2) + 2 * (d->used[queue] % TEST_SIZE);

    if (used[1] == d->used[queue])
        return -1;
    d->used[queue]++;
    *written = entry[1];
    return (int)entry[0];
}
