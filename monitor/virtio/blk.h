/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device (virtio 1.2, 5.2): a disk's channel as a guest's disk. */
#pragma once

#include "abi/process.h"
#include "monitor/disk.h"
#include "monitor/virtio/transport.h"

/* Feature bits (5.2.3). */
#define BLK_F_SEG_MAX      (1ULL << 2)
#define BLK_F_RO           (1ULL << 5)
#define BLK_F_BLK_SIZE     (1ULL << 6)
#define BLK_F_FLUSH        (1ULL << 9)
#define BLK_F_DISCARD      (1ULL << 13)
#define BLK_F_WRITE_ZEROES (1ULL << 14)

/* Types of requests, and what becomes of them (5.2.6). */
enum blk_type {
    BLK_T_IN = 0,
    BLK_T_OUT = 1,
    BLK_T_FLUSH = 4,
    BLK_T_GET_ID = 8,
    BLK_T_DISCARD = 11,
    BLK_T_WRITE_ZEROES = 13
};
enum blk_status { BLK_S_OK, BLK_S_IOERR, BLK_S_UNSUPP };

#define BLK_ID    20u /* bytes of GET_ID's answer */
#define BLK_UNMAP 1u  /* a range's flag */

struct blk_request {
    uint32_t type, reserved;
    uint64_t sector;
};

/* Behind it, for DISCARD and WRITE_ZEROES: one. */
struct blk_range {
    uint64_t sector;
    uint32_t sectors, flags;
};

/* The configuration (5.2.4), as far as there is something in it. */
struct blk_config {
    uint64_t capacity; /* sectors */
    uint32_t size_max, seg_max;
    uint32_t geometry, blk_size;
    uint64_t topology;
    uint16_t writeback, num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused[3];
};

struct blk {
    struct virtio virtio;
    struct disk disk;
    uint32_t flags; /* BLOCK_CAN_*: what the guest may do with it */
    bool more;      /* chains may wait */
    struct blk_config config;
    struct virtq_chain chains[BLOCK_IDS]; /* what each of the disk's requests is for */
};

/* At each start of the machine, with the disk open: when it returns the disk does not reach the
 * guest's memory any more, and is on the bus if there is one. */
void blk_init(struct blk *b, struct pci *pci);

/* EVENT_CHANNEL has come: the disk has answered, or has a place. */
void blk_event(struct blk *b);
