/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel to a disk, or to the partition whose label is the channel's. A request is an entry of
 * the ring to the server, its answer one of the ring to the client; answers come in any order. The
 * segments of request id are row id of the area behind the rings. Units are sectors of 512 bytes.
 *
 * A segment names guest-physical memory, which the driver checks against the client's extents and
 * gives to its device: it never maps it. What a device cannot take directly the client copies
 * through a bounce page, which is in the channel.
 *
 * A driver that starts, or starts again, writes an epoch that was not there before. It drops
 * requests of another epoch without an answer; the client sends what was not answered again, with
 * the new one.
 */
#pragma once

#include <stdint.h>

#include "abi/channel.h"

#define BLOCK_SECTOR   512u
#define BLOCK_IDS      64u /* requests under way: one for each entry */
#define BLOCK_SEGMENTS 64u /* of one request */
#define BLOCK_PAGES    64u /* bounce pages of 4 KiB */

enum block_op {
    BLOCK_INFO, /* no segments; the answer's value is the size in sectors, its flags as below */
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,   /* what was answered before it is on the disk when it is answered */
    BLOCK_DISCARD, /* no segments: sector and sectors */
    BLOCK_ZERO,    /* likewise */
    BLOCK_OP_COUNT
};

enum block_status {
    BLOCK_DONE,
    BLOCK_ERROR, /* the device failed; a write may have been done in part */
    /* outside of the disk, of the client's memory, or no request at all; what segments before a
       wrong one are about may have been done */
    BLOCK_INVALID,
    BLOCK_REFUSED,  /* a write to what is read-only, or what the disk cannot do */
    BLOCK_NO_DEVICE /* no device, no partition of that label: it never will */
};

#define BLOCK_CAN_WRITE   (1u << 0)
#define BLOCK_CAN_DISCARD (1u << 1)
#define BLOCK_CAN_ZERO    (1u << 2)
/* The disk does not reach all of the client's memory: only segments in bounce pages are taken. */
#define BLOCK_NEEDS_BOUNCE (1u << 3)

struct block_request {
    uint32_t id; /* below BLOCK_IDS, and not under way */
    uint32_t epoch;
    uint8_t op;            /* enum block_op */
    uint8_t segment_count; /* at most BLOCK_SEGMENTS */
    uint16_t reserved;
    uint32_t sectors; /* of the segments together; of the range, for BLOCK_DISCARD and BLOCK_ZERO */
    uint64_t sector;  /* of the partition */
};

struct block_answer {
    uint32_t id;
    uint32_t epoch;
    uint32_t status; /* enum block_status */
    uint32_t flags;
    uint64_t value;
};

/* A piece of memory: sectors in the low 16 bits, then the address in sectors, the top bit for a
 * bounce page, whose address counts from the first one. */
#define BLOCK_SEGMENT(address, sectors)                                                            \
    ((uint64_t)(address) / BLOCK_SECTOR << 16 | (uint64_t)(sectors))
#define BLOCK_SEGMENT_SECTORS(segment) ((uint32_t)((segment) & 0xffff))
#define BLOCK_SEGMENT_ADDRESS(segment) (((segment) & ~BLOCK_SEGMENT_BOUNCE) >> 16 << 9)
#define BLOCK_SEGMENT_BOUNCE           (1ULL << 63)

/* At CHANNEL_AREA. */
struct block_area {
    uint32_t epoch; /* the server's; 0: it has not started yet */
    uint32_t reserved[1023];
    uint64_t segment[BLOCK_IDS][BLOCK_SEGMENTS];
    uint8_t page[BLOCK_PAGES][4096];
};

#define BLOCK_CHANNEL_SIZE (CHANNEL_AREA + (uint32_t)sizeof(struct block_area))

_Static_assert(sizeof(struct block_request) <= CHANNEL_ENTRY_SIZE, "a request is an entry");
_Static_assert(sizeof(struct block_answer) <= CHANNEL_ENTRY_SIZE, "an answer is an entry");
_Static_assert(sizeof(struct block_area) % 4096 == 0, "whole pages");
