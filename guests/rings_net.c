/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network device (virtio 1.2, 5.1) makes of what a driver sends; nobody is there to
 * receive it: see rings.c. */
#include "guests/rings.h"

#define F_CSUM       BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MAC        BIT(5)
#define F_GUEST_TSO  (BIT(7) | BIT(8))
#define F_HOST_TSO   (BIT(11) | BIT(12))
#define F_MERGE      BIT(15)
#define F_STATUS     BIT(16)
#define FEATURES                                                                                   \
    (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | F_CSUM | F_GUEST_CSUM |    \
     F_MAC | F_GUEST_TSO | F_HOST_TSO | F_MERGE | F_STATUS)

#define HEADER 12u
#define STATUS 6u /* in the configuration (5.1.4) */

enum { NEEDS_CSUM = 1, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_UNKNOWN = 9 };

/* 5.1.6 */
struct header {
    uint8_t flags, gso_type;
    uint16_t header_length, gso_size, csum_start, csum_offset, buffers;
};

/* None with a header that is cut short: that ends QEMU 7.2 by an assertion (iov_copy). */
static const struct net_case {
    const char *name;
    struct header header;
    struct shape shape;
} cases[] = {
    {"frame", {0}, {{HEADER + 60}, {0}, DIRECT}},
    {"header-alone", {0}, {{HEADER, 60}, {0}, DIRECT}},
    {"in-pieces", {0}, {{5, 7, 14, 100}, {0}, DIRECT}},
    {"across-the-header", {0}, {{HEADER - 2, 4, 58}, {0}, DIRECT}},
    {"shortest", {0}, {{HEADER + 14}, {0}, DIRECT}},
    {"longest", {0}, {{HEADER + 1514}, {0}, DIRECT}},
    {"indirect", {0}, {{HEADER, 30, 30}, {0}, INDIRECT}},
    {"indirect-crooked", {0}, {{HEADER, 60}, {0}, CROOKED}},
    {"indirect-write-flag", {0}, {{HEADER, 60}, {0}, INDIRECT_WRITE}},
    {"indirect-behind-direct", {0}, {{HEADER, 60}, {0}, BEHIND}},
    {"checksum", {NEEDS_CSUM, 0, 0, 0, 34, 16, 0}, {{HEADER, 100}, {0}, DIRECT}},
    {"checksum-behind-the-frame", {NEEDS_CSUM, 0, 0, 0, 200, 16, 0}, {{HEADER, 100}, {0}, DIRECT}},
    {"segments", {NEEDS_CSUM, GSO_TCPV4, 54, 536, 34, 16, 0}, {{HEADER, 54, 2000}, {0}, DIRECT}},
    {"segments-of-nothing",
     {NEEDS_CSUM, GSO_TCPV4, 54, 0, 34, 16, 0},
     {{HEADER, 54, 2000}, {0}, DIRECT}},
    {"segments-without-checksum",
     {0, GSO_TCPV6, 74, 536, 0, 0, 0},
     {{HEADER, 74, 2000}, {0}, DIRECT}},
    {"segments-of-an-unknown-kind",
     {0, GSO_UNKNOWN, 54, 536, 0, 0, 0},
     {{HEADER, 54, 2000}, {0}, DIRECT}},
    {"no-frame", {0}, {{HEADER}, {0}, DIRECT}},
    {"a-bit-of-a-frame", {0}, {{HEADER + 13}, {0}, DIRECT}},
    {"too-long", {0}, {{HEADER, 2000}, {0}, DIRECT}},
    {"nothing-to-read", {0}, {{0}, {100}, DIRECT}},
    {"something-to-write", {0}, {{HEADER, 60}, {100}, DIRECT}},
};

/* An Ethernet frame for all, of a type that nobody knows, or IPv4 and TCP where it is cut. */
static void prepare(const struct header *h, const struct shape *s)
{
    uint8_t *frame = rings_out + HEADER;

    memset(rings_out, 0, PAGE_SIZE);
    memcpy(rings_out, h, sizeof(*h));
    memset(frame, 0xff, 6);
    frame[6] = 2;
    frame[12] = h->gso_type == 0 ? 0x88 : h->gso_type == GSO_TCPV6 ? 0x86 : 0x08;
    frame[13] = h->gso_type == 0 ? 0xb5 : h->gso_type == GSO_TCPV6 ? 0xdd : 0x00;
    frame[14] = h->gso_type == GSO_TCPV6 ? 0x60 : 0x45;
    frame[h->gso_type == GSO_TCPV6 ? 20 : 23] = 6; /* TCP */
    frame[h->gso_type == GSO_TCPV6 ? 66 : 46] = 0x50;
    rings_build(s);
}

static void try_frame(const struct net_case *c)
{
    prepare(&c->header, &c->shape);
    rings_offer(0);
    rings_settle(PATIENCE);
    rings_show(c->name, "");
    if (rings_gave_up())
        rings_start(FEATURES);
}

static void good_frame(void)
{
    static const struct shape good = {{HEADER, 20, 40}, {0}, DIRECT};

    prepare(&(struct header){0}, &good);
}

static void many_frames(void)
{
    good_frame();
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        rings_queue->descriptors[i] =
            (struct virtq_descriptor){(uintptr_t)rings_out, HEADER + 60, 0, 0};
        rings_add(i);
    }
    virtio_kick(&rings_device, rings_queue);
    rings_settle(PATIENCE);
    rings_show("many", "");
}

void rings_net(void)
{
    char more[64];

    if (!rings_find(VIRTIO_ID_NET, "net"))
        return;
    rings_queue = &rings_second;
    rings_start(FEATURES);
    format(more, sizeof(more), "features=%lx status=%u", rings_device.features,
           rings_device.config[STATUS]);
    rings_show("start", more);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
        try_frame(&cases[i]);
    many_frames();
    rings_transport(FEATURES, good_frame);
    rings_notifications(FEATURES, good_frame);
    rings_bad_chains(FEATURES, good_frame);
    rings_queue = &rings_device.queue;
}
