/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device (virtio 1.2, 5.2): a disk's channel as a guest's disk. */
#ifndef MONITOR_VIRTIO_BLK_H
#define MONITOR_VIRTIO_BLK_H

#include "abi/process.h"
#include "monitor/disk.h"
#include "monitor/virtio/transport.h"

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
    const struct process_channel *channel;
    struct blk_config config;
    struct virtq_chain chains[BLOCK_IDS]; /* what each of the disk's requests is for */
};

/* Once: opens channel `number`, which `channel` describes, at `pages`. */
void blk_open(struct blk *b, const struct process_channel *channel, unsigned number, void *pages,
              const struct guest_memory *memory);

/* Waits until the disk has said what it is, and no longer than to this time; whether there is one.
 */
bool blk_wait(struct blk *b, uint64_t tsc);

/* At each start of the machine: when it returns the disk does not reach the guest's memory any
 * more, and is on the bus if there is one. */
void blk_init(struct blk *b, struct pci *pci);

/* EVENT_CHANNEL has come: the disk has answered, or has a place. */
void blk_event(struct blk *b);

#endif
