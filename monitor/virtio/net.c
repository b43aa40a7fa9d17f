/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device: see net.h. Section numbers are those of virtio 1.2. */
#include "monitor/virtio/net.h"

#include "monitor/report.h"
#include "runtime/shared.h"

#define HEADER ((uint32_t)sizeof(struct net_header))

_Static_assert(sizeof(struct net_header) == 12, "the layout of 5.1.6");

static const uint8_t gso_types[] = {[NET_GSO_NONE] = NET_HDR_GSO_NONE,
                                    [NET_GSO_TCP4] = NET_HDR_GSO_TCPV4,
                                    [NET_GSO_TCP6] = NET_HDR_GSO_TCPV6};

/* One line each time the machine starts: a guest that is wrong is so with every frame. */
static void drop(struct net *n, const char *why, uint64_t size)
{
    if (n->dropped++ == 0)
        report("net %s: a frame of %lu bytes is dropped, and others like it: %s", n->info->label,
               size, why);
}

/* Of the guest's frames. */

/* 5.1.6.2: a frame as an entry. False: it is none that the network takes. */
static bool read_entry(const struct net *n, struct net_entry *e)
{
    const struct virtq_chain *c = &n->chain;
    struct net_header h;
    uint16_t gso = 0;

    if (guest_pieces_read(n->virtio.memory, c->pieces, c->readable, 0, &h, HEADER) < HEADER ||
        c->readable_size > HEADER + NET_FRAME_MAX)
        return false;
    while (gso < ARRAY_SIZE(gso_types) && gso_types[gso] != h.gso_type)
        gso++;
    *e = (struct net_entry){
        .flags = h.flags & NET_HDR_F_NEEDS_CSUM ? NET_NEEDS_CHECKSUM : 0,
        .size = (uint32_t)c->readable_size - HEADER,
        .gso = gso,
        .header_size = h.hdr_len,
        .segment_size = h.gso_size,
        .checksum_start = h.csum_start,
        .checksum_offset = h.csum_offset,
    };
    return net_is_frame(e, n->end.other_takes);
}

/* The frame in the chain goes into the channel. False: there is no room yet. */
static bool send(struct net *n)
{
    struct net_entry e;
    bool good = read_entry(n, &e);

    if (good) {
        uint8_t *place = net_wait(&n->end, e.size);

        if (place == NULL)
            return false;
        guest_pieces_read(n->virtio.memory, n->chain.pieces, n->chain.readable, HEADER, place,
                          e.size);
        net_put(&n->end, &e);
    }
    if (!good)
        drop(n, "the guest sends what is none", n->chain.readable_size);
    virtq_put(&n->virtio.r.queue[NET_TRANSMIT], n->chain.head, 0);
    return true;
}

/* What finds no room stays in `chain`: the guest waits for its own network alone. */
static void transmit(struct net *n)
{
    while (n->unsent || virtio_next(&n->virtio, NET_TRANSMIT, &n->chain)) {
        n->unsent = !send(n);
        if (n->unsent)
            break;
    }
    virtio_interrupt(&n->virtio, NET_TRANSMIT);
}

/* And of those for it. */

static struct net_header header_of(const struct net *n, const struct net_entry *e)
{
    bool good = e->flags & NET_CHECKSUM_GOOD && n->virtio.r.accepted & NET_F_GUEST_CSUM;

    return (struct net_header){
        .flags = e->flags & NET_NEEDS_CHECKSUM ? NET_HDR_F_NEEDS_CSUM
                 : good                        ? NET_HDR_F_DATA_VALID
                                               : 0,
        .gso_type = gso_types[e->gso],
        .hdr_len = e->header_size,
        .gso_size = e->segment_size,
        .csum_start = e->checksum_start,
        .csum_offset = e->checksum_offset,
    };
}

enum filled { FILLED, NO_BUFFERS, TOO_LONG };

/* 5.1.6.4: a frame goes into one buffer, or with MRG_RXBUF into as many as it takes, the header
 * into the first one. What is not used in the end is the guest's again. */
static enum filled fill(struct net *n, const struct net_entry *e, const uint8_t *frame)
{
    struct virtqueue *q = &n->virtio.r.queue[NET_RECEIVE];
    unsigned most = n->virtio.r.accepted & NET_F_MRG_RXBUF ? q->size : 1, count = 0;
    struct net_header h = header_of(n, e);
    enum filled result = FILLED;

    for (uint32_t done = 0, start = HEADER; done < e->size; start = 0, count++) {
        struct virtq_chain *c = count == 0 ? &n->first : &n->more;

        result = count == most ? TOO_LONG : NO_BUFFERS;
        if (result == TOO_LONG || !virtio_next(&n->virtio, NET_RECEIVE, c))
            break;
        if (c->writable_size < HEADER)
            virtio_fail(&n->virtio); /* 5.1.6.3.1 */
        uint32_t here =
            guest_pieces_write(n->virtio.memory, c->pieces + c->readable, c->count - c->readable,
                               start, frame + done, e->size - done);

        virtq_fill(q, (uint16_t)count, c->head, start + here);
        done += here;
        result = FILLED;
    }
    if (result != FILLED) {
        virtq_back(q, (uint16_t)count);
        return result;
    }
    h.num_buffers = (uint16_t)count;
    guest_pieces_write(n->virtio.memory, n->first.pieces + n->first.readable,
                       n->first.count - n->first.readable, 0, &h, HEADER);
    virtq_flush(q, (uint16_t)count);
    return FILLED;
}

/* A guest without a buffer has its frames wait in the channel, and its network drops what finds no
 * room there. One whose driver does not run has none. */
static void receive(struct net *n)
{
    const uint8_t *frame;
    struct net_entry e;

    while ((frame = net_next(&n->end, &e)) != NULL) {
        enum filled result = virtio_runs(&n->virtio, NET_RECEIVE) ? fill(n, &e, frame) : FILLED;

        if (result == NO_BUFFERS)
            break;
        if (result == TOO_LONG)
            drop(n, "the guest's buffers are too small for it", e.size);
        net_take(&n->end);
    }
    virtio_interrupt(&n->virtio, NET_RECEIVE);
}

/* The device. */

/* What the driver has said that it takes. */
static uint32_t takes(const struct net *n)
{
    uint64_t accepted = n->virtio.r.accepted;

    if (!virtio_runs(&n->virtio, NET_RECEIVE) || !(accepted & NET_F_GUEST_CSUM))
        return 0;
    return NET_TAKES_CHECKSUM | (accepted & NET_F_GUEST_TSO4 ? NET_TAKES_TCP4 : 0) |
           (accepted & NET_F_GUEST_TSO6 ? NET_TAKES_TCP6 : 0);
}

static void set_status(struct net *n)
{
    bool up = n->end.link && !shared_load(&n->info->ended);

    if (n->config.status == (up ? NET_S_LINK_UP : 0))
        return;
    n->config.status = up ? NET_S_LINK_UP : 0;
    virtio_config_changed(&n->virtio);
}

static void work(struct net *n, bool receives, bool transmits)
{
    net_set_takes(&n->end, takes(n));
    if (receives)
        receive(n);
    if (transmits)
        transmit(n);
    set_status(n);
    net_flush(&n->end);
}

/* Of what comes by the channel a kick says nothing: that has an event of its own. */
static void kick(struct virtio *v, unsigned queue)
{
    work(v->device, queue == NET_RECEIVE, queue == NET_TRANSMIT);
}

static bool reset(struct virtio *v)
{
    struct net *n = v->device;
    struct net_entry e;

    n->unsent = false;
    while (net_next(&n->end, &e) != NULL)
        net_take(&n->end);
    return true;
}

void net_device_event(struct net *n)
{
    work(n, true, true);
}

void net_device_open(struct net *n, const struct process_channel *info, unsigned number,
                     void *pages)
{
    n->info = info;
    n->config = (struct net_config){.max_virtqueue_pairs = 1, .mtu = NET_MTU};
    net_address(info->label, n->config.mac);
    net_open(&n->end, pages, number, false);
    channel_sleep(&n->end.channel);
    net_flush(&n->end);
}

void net_device_init(struct net *n, struct pci *pci, const struct guest_memory *memory)
{
    static const struct virtio_kind kind = {
        .id = 1, .class = 0x020000, .queues = NET_QUEUES, .kick = kick, .reset = reset};

    n->unsent = false;
    n->dropped = 0;
    n->virtio.config_size = sizeof(n->config);
    n->virtio.offered = VIRTIO_F_ALL_DEVICES | NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU |
                        NET_F_MAC | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_HOST_TSO4 |
                        NET_F_HOST_TSO6 | NET_F_MRG_RXBUF | NET_F_STATUS;
    virtio_init(&n->virtio, &kind, n, &n->config, pci, memory);
}
