/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver, as a guest would have it: it reaches a virtio function through the board alone. */
#pragma once

#include "tests/native/monitor/fakes.h"

/* The registers of the common configuration. */
enum {
    OFFERED_SELECT = 0,
    OFFERED = 4,
    ACCEPTED_SELECT = 8,
    ACCEPTED = 12,
    CONFIG_VECTOR = 16,
    QUEUES = 18,
    STATUS = 20,
    GENERATION = 21,
    QUEUE_SELECT = 22,
    QUEUE_SIZE = 24,
    QUEUE_VECTOR = 26,
    QUEUE_ENABLE = 28,
    QUEUE_NOTIFY_OFF = 30,
    QUEUE_DESC = 32,
    QUEUE_DRIVER = 40,
    QUEUE_DEVICE = 48,
};

#define ACKNOWLEDGE 1
#define DRIVER      2
#define DRIVER_OK   4
#define FEATURES_OK 8
#define NEEDS_RESET 0x40

#define RING_INDIRECT  (1ULL << 28)
#define RING_EVENT_IDX (1ULL << 29)
#define VERSION_1      (1ULL << 32)

#define RINGS_AT       0x10000 /* of queue 0; the next has 0x4000 more */
#define RINGS_STRIDE   0x4000
#define AVAILABLE_AT   0x1000
#define USED_AT        0x2000
#define TEST_SIZE      8
#define TEST_VECTOR    0x51
#define MESSAGE_BASE   0xfee00000
#define CONFIG_ENTRY   0
#define QUEUE_ENTRY(q) (1 + (q))

/* The function at this device number of bus 0, found through its capabilities. */
struct driver {
    struct board *board;
    unsigned device;
    uint64_t common, isr, config, msix; /* addresses of memory; 0: there is none */
    uint16_t notify, multiplier;        /* a port */
    uint16_t available[2], used[2];     /* own positions of each queue */
};

void driver_find(struct driver *d, struct board *board, unsigned device);

uint32_t driver_config(struct driver *d, unsigned offset, unsigned size);
void driver_set_config(struct driver *d, unsigned offset, unsigned size, uint32_t value);
uint32_t driver_get(struct driver *d, unsigned field, unsigned size);
void driver_set(struct driver *d, unsigned field, unsigned size, uint32_t value);

/* Bus mastering and MSI-X on, features taken of those wanted, rings of TEST_SIZE for each queue
 * with a vector each, DRIVER_OK. */
void driver_start(struct driver *d, uint64_t features);

/* A descriptor of a queue's ring. */
void driver_describe(struct driver *d, unsigned queue, unsigned index, uint64_t address,
                     uint32_t size, uint16_t flags, uint16_t next);

/* Makes a chain available, and rings the doorbell. */
void driver_offer(struct driver *d, unsigned queue, uint16_t head);
void driver_kick(struct driver *d, unsigned queue);

/* The next used entry, and how many bytes it has; -1: there is none. */
int driver_take(struct driver *d, unsigned queue, uint32_t *written);

/* Where guest-physical memory is for the test. */
uint8_t *driver_memory(struct driver *d, uint64_t address);
