/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of a disk's channel (abi/block.h).
 *
 * A request is sent in one or more rounds: as much of it as has a place in 64 segments, where
 * memory that is not in whole sectors goes through bounce pages, as all of it does when the disk
 * needs that. A driver that has started anew gets what was under way again.
 */
#ifndef MONITOR_DISK_H
#define MONITOR_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/block.h"
#include "monitor/guest_pieces.h"
#include "runtime/channel.h"

#define DISK_BOUNCES 8u /* pages of a round, at most */

/* Who makes one fills op, sector and what belongs to the operation, and gives it to disk_start. */
struct disk_request {
    enum block_op op;
    uint64_t sector;
    uint32_t sectors; /* the range of BLOCK_DISCARD and BLOCK_ZERO */
    /* What BLOCK_READ and BLOCK_WRITE move: `size` bytes from `start` on, whole sectors. */
    const struct guest_piece *pieces;
    unsigned piece_count;
    uint64_t start, size;
    enum block_status status; /* when it has ended */

    /* disk.c's own. */
    uint64_t done;  /* bytes that earlier rounds have moved */
    uint64_t round; /* and this one moves */
    unsigned bounce_count;
    struct disk_bounce {
        uint64_t at; /* in the pieces' bytes */
        uint32_t size;
        uint8_t page;
    } bounces[DISK_BOUNCES];
};

struct disk {
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

/* `pages` are the channel's, `number` is its number in this process. Asks the disk what it is. */
void disk_open(struct disk *d, void *pages, unsigned number, const struct guest_memory *memory);

/* A free request, cleared; NULL: all are under way. */
struct disk_request *disk_take(struct disk *d);

/* It is sent by the next disk_poll. */
void disk_start(struct disk *d, struct disk_request *r);

/* Ends, with BLOCK_ERROR, what the driver does not have: it never will. */
void disk_cancel(struct disk *d);

/* The driver has ended, and does not come back: ends all the same way. */
void disk_abandon(struct disk *d);

/* Looks at the channel: takes answers, sends what waits. Afterwards EVENT_CHANNEL tells of more. */
void disk_poll(struct disk *d);

/* A request that has ended, or NULL. Who gets it looks at its status and gives it back. */
struct disk_request *disk_ended(struct disk *d);
void disk_give(struct disk *d, struct disk_request *r);

/* Which one it is: below BLOCK_IDS. */
unsigned disk_id(const struct disk *d, const struct disk_request *r);

/* Whether no request has been taken that was not given back. */
bool disk_is_idle(const struct disk *d);

#endif
