/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings in a small guest memory, as tests write them. The memory ends where the allocation does, so
 * that the sanitizer sees an access behind it. */
#pragma once

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "monitor/virtio/queue.h"

#define NEXT     1
#define WRITE    2
#define INDIRECT 4

#define DESCRIPTORS 0x0000
#define AVAILABLE   0x0800
#define USED        0x0a00
#define TABLE       0x1000
#define DATA        0x1800
#define MEMORY      0x2000

struct rings {
    struct guest_memory memory;
    struct virtqueue queue;
};

/* Fresh rings of that many entries, all zero. */
struct rings *rings_make(uint16_t size);
void rings_free(struct rings *r);

/* A descriptor of the ring, or of the indirect table. */
void set_descriptor(struct rings *r, uint64_t table, unsigned index, uint64_t address,
                    uint32_t size, uint16_t flags, uint16_t next);

uint16_t get_16(const struct rings *r, uint64_t at);
uint32_t get_32(const struct rings *r, uint64_t at);
void set_16(struct rings *r, uint64_t at, uint16_t value);

/* Makes a chain available. */
void offer(struct rings *r, uint16_t head);

/* The same numbers in each run. */
uint64_t random_word(void);
