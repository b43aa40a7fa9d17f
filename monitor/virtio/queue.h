/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue (virtio 1.2, 2.7) from the device's side: a function of what is in guest memory
 * and of this struct, and of nothing else.
 *
 * The driver writes its rings while the device reads them, and need not mean well. So everything is
 * read once, into a chain that is the device's own, and each address is checked when it is read.
 * What cannot be a ring is VIRTQ_BROKEN: the device stops until it is reset.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/guest_pieces.h"

#define VIRTQ_MAX_SIZE 128u
#define VIRTQ_PIECES   66u /* of a chain: a header, 64 pieces of data, a status */

/* Where the driver has the three parts, guest-physical: as in the common configuration (4.1.4.3).
 */
struct virtq_places {
    uint64_t descriptors, available, used;
};

struct virtqueue {
    /* As the driver says, before virtq_enable. */
    struct virtq_places at;
    uint16_t size;            /* entries: a power of two */
    bool event_idx, indirect; /* VIRTIO_F_EVENT_IDX, _INDIRECT_DESC */

    /* The device's own. */
    bool enabled;
    const struct guest_memory *memory;
    const uint8_t *descriptors, *available; /* where they are mapped */
    uint8_t *used;
    uint16_t next_available, next_used; /* count for ever */
    uint16_t notified;                  /* next_used when virtq_wants_interrupt was asked last */
};

/* The pieces that the device reads come first, then those that it writes. None is of no bytes. */
struct virtq_chain {
    uint16_t head; /* what virtq_put wants */
    uint16_t readable, count;
    uint64_t readable_size, writable_size; /* bytes of all */
    struct guest_piece pieces[VIRTQ_PIECES];
};

enum virtq_result { VIRTQ_EMPTY, VIRTQ_CHAIN, VIRTQ_BROKEN };

/* The driver has written where the rings are. False: they are not aligned (2.7), or not in RAM. */
bool virtq_enable(struct virtqueue *q, const struct guest_memory *memory);

/* The next chain that the driver has made available. When there is none, the driver is told to
 * notify of the next one (2.7.10). */
enum virtq_result virtq_next(struct virtqueue *q, struct virtq_chain *chain);

/* The last `count` chains are the driver's again, as if virtq_next had not been called. */
void virtq_back(struct virtqueue *q, uint16_t count);

/* Gives a chain back, with how many bytes have been written from its first writable one on. */
void virtq_put(struct virtqueue *q, uint16_t head, uint32_t written);

/* Gives several back at once: each one, counted from 0, and then all of them. */
void virtq_fill(struct virtqueue *q, uint16_t ahead, uint16_t head, uint32_t written);
void virtq_flush(struct virtqueue *q, uint16_t count);

/* After one or more virtq_put: whether the driver wants to be notified of them (2.7.7). */
bool virtq_wants_interrupt(struct virtqueue *q);
