/* SPDX-License-Identifier: BSD-2-Clause */
/* A small driver for virtio-net (virtio 1.2, 5.1): frames with their header, one after the other.
 */
#pragma once

#include "guests/lib/virtio.h"
#include "lib/bits.h"

#define NET_F_CSUM       BIT(0)
#define NET_F_GUEST_CSUM BIT(1)
#define NET_F_GUEST_TSO4 BIT(7)
#define NET_F_HOST_TSO4  BIT(11)
#define NET_F_MRG_RXBUF  BIT(15)
#define NET_F_ALL                                                                                  \
    (NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_HOST_TSO4 | NET_F_MRG_RXBUF)

#define NET_HEADER  12u
#define NET_LONGEST 65550u
#define NET_BUFFER  0x1000u /* bytes of each of the buffers to receive */

struct net_header {
    uint8_t flags, gso_type; /* 1: a checksum is to be worked out; 1: TCP over IPv4 */
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

struct net_card {
    struct virtio virtio; /* its queue is the one to receive */
    struct virtq transmit;
    uint8_t *buffers; /* VIRTQ_SIZE of them */
    uint8_t mac[6];
};

/* Finds the first network device and starts it; `deaf`: without a buffer to receive. False: there
 * is none, or it refused. */
bool net_start(struct net_card *n, uint64_t features, uint8_t vector, bool deaf);

/* Sends `size` bytes, header and frame: `slot` is a descriptor that is free. */
void net_offer(struct net_card *n, uint16_t slot, const void *bytes, uint32_t size);

/* Likewise, and waits until the device has it. */
void net_send(struct net_card *n, const void *bytes, uint32_t size);

/* The next frame with its header; how many bytes, 0: there is none. */
uint32_t net_receive(struct net_card *n, uint8_t *to);
