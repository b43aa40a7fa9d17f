/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of a disk's channel (abi/block.h).
 *
 * A request is sent in one or more rounds: as much of it as has a place in 64 segments, where
 * memory that is not in whole sectors goes through bounce pages, as all of it does when the disk
 * needs that. A driver that has started anew gets what was under way again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/block.h"
#include "abi/process.h"
#include "monitor/guest_pieces.h"
#include "runtime/channel.h"

#define DISK_BOUNCES 8u /* pages of a round, at most */

/* Who makes one fills op, sector and what belongs to the operation, and gives it to disk_start. */
struct disk_request {
    uint8_t id; /* which one it is: below BLOCK_IDS */
    enum block_op op;
    uint64_t sector;
    uint32_t sectors; /* the range of BLOCK_DISCARD and BLOCK_ZERO; otherwise 0 */
    /* What BLOCK_READ and BLOCK_WRITE move: `size` bytes from `start` on, whole sectors. */
    const struct guest_piece *pieces;
    unsigned piece_count;
    uint64_t start, size;
    enum block_status status; /* when it has ended */

    /* disk.c's own. */
    uint64_t bit;   /* in the words of struct disk */
    uint64_t done;  /* bytes that earlier rounds have moved */
    uint64_t round; /* and this one moves */
    unsigned bounce_count;
    struct disk_bounce {
        uint64_t at; /* in the pieces' bytes */
        uint32_t size;
        uint8_t page;
    } bounces[DISK_BOUNCES];
} __attribute__((aligned(256))); /* a place among others is found by a shift */

struct disk {
    const struct process_channel *info;
    struct channel_end channel;
    struct block_area *area;
    const struct guest_memory *memory;
    uint32_t epoch; /* in which `sent` was sent */
    bool known;     /* the disk has said what it is: */
    uint64_t sectors;
    uint32_t flags; /* BLOCK_CAN_*, BLOCK_NEEDS_BOUNCE */
    /* A bit for each request: who has it. None of them: it is free. */
    uint64_t taken, waiting, sent, ended;
    uint64_t pages; /* a bit for each bounce page in use */
    struct disk_request requests[BLOCK_IDS];
};

_Static_assert(BLOCK_IDS == 64 && BLOCK_PAGES == 64, "a bit in a word for each");

/* Opens channel `number`, which `info` describes, at `pages`, and asks the disk what it is. */
void disk_open(struct disk *d, const struct process_channel *info, unsigned number, void *pages,
               const struct guest_memory *memory);

/* Waits until nothing is under way, and no longer than to this TSC; whether there is a disk. */
bool disk_wait(struct disk *d, uint64_t tsc);

/* One that is free; NULL: all are under way. */
struct disk_request *disk_place(struct disk *d);

/* It is under way from now on, and is sent by the next disk_poll. */
void disk_start(struct disk *d, struct disk_request *r);

/* Looks at the channel: takes answers, sends what waits. Afterwards EVENT_CHANNEL tells of more. A
 * driver that has ended, and does not come back, has failed all. */
void disk_poll(struct disk *d);

/* A request that has ended, or NULL. Who gets it looks at its status and gives it back. */
struct disk_request *disk_ended(struct disk *d);
void disk_give(struct disk *d, struct disk_request *r);

/* Nobody wants to know any more what becomes of the requests; whether the driver has none of them
 * any more. disk_drain waits for it. */
bool disk_forget(struct disk *d);
void disk_drain(struct disk *d);

/* Whether no request has been started that was not given back. */
bool disk_is_idle(const struct disk *d);
