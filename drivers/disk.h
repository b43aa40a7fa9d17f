/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between a disk's driver file and what all of them share. A driver is one device file (ata.c,
 * ahci.c, nvme.c, ram.c) with serve.c, which takes requests from channels, checks them, and cuts
 * them into commands that the device can take. A device file knows nothing of channels,
 * partitions or guests; serve.c knows nothing of any device.
 *
 * The DMA area (PROCESS_DMA) is the device file's, but for its last DISK_SERVER_DMA bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/block.h"
#include "abi/process.h"

#define DISK_DEPTH      32u            /* commands under way at once, at most */
#define DISK_RUNS       BLOCK_SEGMENTS /* of one command, at most */
#define DISK_SERVER_DMA 4096u

/* Physical memory in one piece: whole sectors, by address and by length. */
struct disk_run {
    uint64_t physical;
    uint32_t bytes;
};

/* Sectors of 512 bytes, of the whole disk. */
struct disk_command {
    enum block_op op; /* but BLOCK_INFO; with runs for BLOCK_READ and BLOCK_WRITE only */
    uint64_t sector;
    uint32_t sectors; /* of the runs together; 0 for BLOCK_FLUSH */
    uint32_t run_count;
    struct disk_run runs[DISK_RUNS];
};

/* What a disk is. disk_start fills it; it was zeroed before. */
struct disk {
    uint64_t sectors;
    uint32_t flags;         /* BLOCK_CAN_*: what disk_submit takes; BLOCK_NEEDS_BOUNCE */
    unsigned depth;         /* commands that it takes at once: 1 to DISK_DEPTH */
    unsigned max_runs;      /* of one command: 1 to DISK_RUNS */
    uint32_t max_sectors;   /* of one command, whatever its operation */
    uint64_t last_physical; /* the highest address that the device reaches */
    bool memory;            /* it ends with the machine: the whole of it may be written */
};

/*
 * The device file's. It logs in disk_start and disk_reset only: serve.c tells of commands that
 * failed, within a bound. It never waits without one.
 */

/* Resets the device, whatever it was doing for a process that ran before in this one's place, and
 * asks what it is. False, after a line in the log: there is no disk. */
bool disk_start(const struct process_info *info, struct disk *disk);

/* Gives the device a command, under a tag below disk.depth that is free. The runs are within
 * last_physical, the numbers within the other bounds. Only of what is under way disk_done tells,
 * later; what has failed the device does not take, nor will it later. */
enum disk_submitted { DISK_UNDER_WAY, DISK_DONE, DISK_FAILED };
enum disk_submitted disk_submit(unsigned tag, const struct disk_command *command);

/* There was an interrupt, or it is time to look: calls disk_done for each command that has ended.
 * Leaves no interrupt pending in the device. */
void disk_interrupt(void);

/* A command takes too long: stops the device, so that it touches no memory any more, and starts it
 * again. All commands under way are over, without disk_done. */
void disk_reset(void);

/* serve.c's: the command under this tag has ended, and the tag is free. */
void disk_done(unsigned tag, bool good);
