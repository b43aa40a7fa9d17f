/* SPDX-License-Identifier: BSD-2-Clause */
#include "guests/lib/net.h"

#include "guests/lib/guest.h"
#include "lib/string.h"

static void give(struct net_card *n, uint16_t slot)
{
    n->virtio.queue.descriptors[slot] = (struct virtq_descriptor){
        (uintptr_t)n->buffers + slot * NET_BUFFER, NET_BUFFER, VIRTQ_WRITE, 0};
    virtio_offer(&n->virtio, slot);
}

/* page_alloc's pages follow each other. */
static uint8_t *make_buffers(void)
{
    uint8_t *first = page_alloc();

    for (unsigned i = 1; i < VIRTQ_SIZE; i++)
        page_alloc();
    return first;
}

bool net_start(struct net_card *n, uint64_t features, uint8_t vector, bool deaf)
{
    struct virtio *v = &n->virtio;

    if (v->common == NULL && !virtio_find(v, VIRTIO_ID_NET))
        return false;
    if (!virtio_negotiate(v, features | VIRTIO_F_VERSION_1))
        return false;
    virtio_set_vectors(v, vector);
    if (!virtio_add_queue(v, &v->queue, 0, 0) || !virtio_add_queue(v, &n->transmit, 1, 0) ||
        !virtio_driver_ok(v))
        return false;
    for (unsigned i = 0; i < sizeof(n->mac); i++)
        n->mac[i] = v->config[i];
    if (n->buffers == NULL)
        n->buffers = make_buffers();
    for (uint16_t slot = 0; !deaf && slot < VIRTQ_SIZE; slot++)
        give(n, slot);
    return true;
}

void net_offer(struct net_card *n, uint16_t slot, const void *bytes, uint32_t size)
{
    n->transmit.descriptors[slot] = (struct virtq_descriptor){(uintptr_t)bytes, size, 0, 0};
    virtq_offer_all(&n->virtio, &n->transmit, &slot, 1);
}

void net_send(struct net_card *n, const void *bytes, uint32_t size)
{
    uint32_t written;

    net_offer(n, 0, bytes, size);
    while (virtq_take(&n->transmit, &written) < 0)
        cpu_relax();
}

/* 5.1.6.4: the header says how many buffers the frame is in. */
uint32_t net_receive(struct net_card *n, uint8_t *to)
{
    struct net_header *h = (struct net_header *)to;
    uint32_t size = 0, written;
    int slot = virtio_take(&n->virtio, &written);

    for (unsigned count = 0; slot >= 0; slot = virtio_take(&n->virtio, &written)) {
        memcpy(to + size, n->buffers + (unsigned)slot * NET_BUFFER, written);
        size += written;
        give(n, (uint16_t)slot);
        if (++count >= h->num_buffers)
            break;
    }
    return size;
}
