/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network device would do for who sends, done for who receives and does not take it, or made
 * ready for a card: a TCP segment of many is cut into frames, and a checksum is worked out. RFC
 * 9293, 791, 8200, 1071.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/net.h"

#define SEGMENT_HEADERS 256u /* bytes at most, of all of a frame's headers */

struct segments {
    uint8_t header[SEGMENT_HEADERS]; /* of all of them, as the sender has it */
    uint32_t ip, tcp, header_size;   /* where these begin, and the payload */
    uint32_t payload, most;          /* bytes of it: of all, and of each but the last */
    bool v6;
};

/* Reads the headers of a frame with e->gso: its bytes may change meanwhile. False: they are not
 * those of such a frame, or it would be cut into frames that are longer than the MTU. */
bool segments_read(struct segments *s, const struct net_entry *e, const uint8_t *frame);

/* How many bytes the frame with the payload from `at` on has. */
uint32_t segment_size(const struct segments *s, uint32_t at);

/* Writes it: the headers, what of `frame` is its payload, and the checksums. */
void segment_write(const struct segments *s, const uint8_t *frame, uint32_t at, uint8_t *to);

/* Leaves the rest to a card: the headers in `frame` become what it wants to find there. Lengths and
 * IPv4's checksum are 0, and TCP's is the sum of the pseudo-header without the length. */
void segments_leave(const struct segments *s, uint8_t *frame);

/* Works out the checksum of a frame with NET_NEEDS_CHECKSUM (virtio 1.2, 5.1.6.2). */
void segment_finish(const struct net_entry *e, uint8_t *frame);
