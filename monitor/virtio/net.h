/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device (virtio 1.2, 5.1): a network's channel as a guest's card. */
#pragma once

#include "abi/process.h"
#include "monitor/virtio/transport.h"
#include "runtime/net.h"

/* Feature bits (5.1.3). */
#define NET_F_CSUM       (1ULL << 0)
#define NET_F_GUEST_CSUM (1ULL << 1)
#define NET_F_MTU        (1ULL << 3)
#define NET_F_MAC        (1ULL << 5)
#define NET_F_GUEST_TSO4 (1ULL << 7)
#define NET_F_GUEST_TSO6 (1ULL << 8)
#define NET_F_HOST_TSO4  (1ULL << 11)
#define NET_F_HOST_TSO6  (1ULL << 12)
#define NET_F_MRG_RXBUF  (1ULL << 15)
#define NET_F_STATUS     (1ULL << 16)

enum net_queue { NET_RECEIVE, NET_TRANSMIT, NET_QUEUES };

/* What is ahead of each frame (5.1.6), and its words. */
struct net_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

#define NET_HDR_F_NEEDS_CSUM 1u
#define NET_HDR_F_DATA_VALID 2u

enum net_gso_type { NET_HDR_GSO_NONE = 0, NET_HDR_GSO_TCPV4 = 1, NET_HDR_GSO_TCPV6 = 4 };

#define NET_S_LINK_UP 1u

/* The configuration (5.1.4), as far as there is something in it. */
struct net_config {
    uint8_t mac[NET_ADDRESS];
    uint16_t status, max_virtqueue_pairs, mtu;
};

struct net {
    struct virtio virtio;
    const struct process_channel *info;
    struct net_end end;
    struct net_config config;
    bool unsent;                    /* `chain` waits for room in the channel */
    struct virtq_chain chain;       /* of the transmit queue */
    struct virtq_chain first, more; /* of the receive queue */
    uint64_t dropped; /* frames of either direction that were none, or had no buffer */
};

/* Once: opens channel `number`, which `info` describes, at `pages`. */
void net_device_open(struct net *n, const struct process_channel *info, unsigned number,
                     void *pages);

/* At each start of the machine. */
void net_device_init(struct net *n, struct pci *pci, const struct guest_memory *memory);

/* EVENT_CHANNEL has come: there are frames, or there is room again. */
void net_device_event(struct net *n);
