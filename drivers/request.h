/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's request: checked against what the client may use, and cut into commands that the
 * device takes. Functions of their arguments alone. */
#pragma once

#include "drivers/disk.h"

/* What a client may use: of the disk, and of memory. */
struct share {
    bool present; /* false: nothing */
    uint64_t first, sectors;
    uint32_t flags; /* those of BLOCK_INFO's answer */
    const struct process_extents *extents;
    struct process_extent bounce; /* the bounce pages, from 0 */
};

/* A copy of what the client has written. */
struct request {
    union {
        struct block_request head;
        uint8_t entry[CHANNEL_ENTRY_SIZE];
    };
    uint64_t segment[BLOCK_SEGMENTS];
    /* How much of it is in commands: sectors, and where among the segments the next one begins. */
    uint32_t sectors, at, sectors_at;
};

/* BLOCK_DONE: nothing is wrong with it, as far as its segments are not looked at. */
enum block_status request_check(const struct block_request *head, const struct share *share);

enum request_part {
    REQUEST_MORE,
    REQUEST_LAST,
    REQUEST_WRONG, /* no command: a segment is not the client's memory, or they have not as many
                      sectors together as the request */
};

/* Makes the next command of a request that was found right. */
enum request_part request_cut(struct request *r, const struct share *share, const struct disk *disk,
                              struct disk_command *command);
