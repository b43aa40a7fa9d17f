/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel to a network: Ethernet frames, by the same rule in both directions. Its label is the
 * client's address, as in 02:00:5e:10:00:01, or empty where the client is no machine.
 *
 * An entry names a frame in the sender's half of the area. Who receives copies it before it moves
 * head; then the room is the sender's again. So frames are freed in the order in which they were
 * sent, a half is a ring of bytes, and what a side may have under way is bounded by its own half
 * alone. A network waits for no receiver: what finds no room with it is dropped and counted.
 *
 * Both sides begin with NET_HELLO, and ask for the other's: who starts anew learns what that takes.
 *
 * A frame may be longer than its network's MTU, or have a checksum that is not worked out yet, only
 * if the receiver has said that it takes such frames (NET_HELLO); sizes and offsets of these are as
 * in virtio 1.2, 5.1.6.
 */
#pragma once

#include <stdint.h>

#include "abi/channel.h"

#define NET_HALF      0x40000u /* bytes of frames under way in one direction */
#define NET_ALIGNMENT 64u      /* of a frame's place in it; a frame does not wrap */
#define NET_FRAME_MIN 14u      /* an Ethernet header */
#define NET_FRAME_MAX 65550u   /* the header, and as much as an IP packet can have behind it */
#define NET_MTU       1500u
#define NET_FRAME_MTU (NET_MTU + NET_FRAME_MIN + 4u) /* a whole frame, with a VLAN tag */

enum net_what {
    NET_HELLO, /* the sender has started, or has other wishes: `flags` is what it takes */
    NET_FRAME,
    NET_LINK, /* to the client: `flags` is 1 while the network reaches somebody, else 0 */
};

/* What who sends NET_HELLO takes besides whole frames of at most the MTU. */
#define NET_TAKES_CHECKSUM (1u << 0) /* NET_NEEDS_CHECKSUM */
#define NET_TAKES_TCP4     (1u << 1) /* NET_GSO_TCP4, of any size; with NET_TAKES_CHECKSUM */
#define NET_TAKES_TCP6     (1u << 2)
/* It has just started: the other side is to say NET_HELLO, too, without asking. */
#define NET_ASKS (1u << 3)

/* Flags of a frame. */
#define NET_NEEDS_CHECKSUM (1u << 0) /* to be worked out from checksum_start to the frame's end */
#define NET_CHECKSUM_GOOD  (1u << 1) /* somebody has looked */

enum net_gso { NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6 };

struct net_entry {
    uint32_t what; /* enum net_what */
    uint32_t flags;
    uint32_t offset; /* of the frame, in the sender's half */
    uint32_t size;   /* bytes, from the destination's address on, without the check sequence */
    uint16_t gso;    /* enum net_gso */
    uint16_t header_size, segment_size; /* bytes; with a gso */
    uint16_t checksum_start, checksum_offset;
    uint16_t reserved[19];
};

/* At CHANNEL_AREA. */
struct net_area {
    uint8_t half[2][NET_HALF]; /* [0]: to the server; [1]: to the client */
};

#define NET_CHANNEL_SIZE (CHANNEL_AREA + (uint32_t)sizeof(struct net_area))

_Static_assert(sizeof(struct net_entry) == CHANNEL_ENTRY_SIZE, "it is an entry");
