/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that use up what those on one network share, and drivers of virtio-net that keep to
 * nothing: the rows HOSTILE_NET of hostile.def. What the device writes for them lies in buffers at
 * the end of their memory, so that they do not end themselves. */
#include "guests/hostile_rows.h"

#include "guests/lib/chance.h"
#include "guests/lib/guest.h"
#include "guests/lib/net.h"
#include "lib/bits.h"
#include "lib/string.h"

#define VECTOR  0x60
#define MAC     6u
#define SHORT   60u
#define LARGE   60000u
#define HEADERS 54u             /* Ethernet's, IPv4's, TCP's */
#define BEHIND  0x1000000000ULL /* where no memory is */
#define TABLE   8u              /* descriptors of an indirect table */

static struct net_card card;
static uint8_t sent[NET_HEADER + LARGE];
static uint8_t *const frame = sent + NET_HEADER;
static struct virtq_descriptor *table;

/* For all, from this one. */
static void address_frame(void)
{
    memset(frame, 0xff, MAC);
    memcpy(frame + MAC, card.mac, MAC);
}

static void begin(bool deaf)
{
    if (!net_start(&card, NET_F_ALL | VIRTIO_F_INDIRECT_DESC, VECTOR, deaf))
        bail_out("there is no network");
    table = page_alloc();
    virtio_count_interrupts(VECTOR);
    interrupts_on(); /* as `exits` in hostile.c */
    address_frame();
}

/* As many frames under way as there can be, for ever; `change` before each. */
static void flood(uint32_t size, void (*change)(void))
{
    uint32_t written;

    begin(true);
    for (uint16_t slot = 0;; slot = (slot + 1) % VIRTQ_SIZE) {
        if (change != NULL)
            change();
        net_offer(&card, slot, sent, NET_HEADER + size);
        while (virtq_take(&card.transmit, &written) < 0)
            ;
    }
}

void net_flood(void)
{
    flood(SHORT, NULL);
}

static void make_segment(void)
{
    static const uint8_t ip[] = {8, 0, 0x45, 0,  0, 0, 0, 7,  0x40, 0, 64,
                                 6, 0, 0,    10, 0, 0, 1, 10, 0,    0, 2};

    memcpy(frame + 2 * MAC, ip, sizeof(ip));
    frame[46] = 0x50; /* TCP's header has 20 bytes */
    *(struct net_header *)sent = (struct net_header){.flags = 1,
                                                     .gso_type = 1,
                                                     .hdr_len = HEADERS,
                                                     .gso_size = (uint16_t)(1 + below(1448)),
                                                     .csum_start = 34,
                                                     .csum_offset = 16};
}

/* Segments for all, which are cut for who does not take them: some into very many frames. */
void net_segments(void)
{
    flood(LARGE, make_segment);
}

/* From somebody new each time: no switch can know them all. */
static void new_source(void)
{
    for (unsigned i = 0; i < MAC; i++)
        frame[MAC + i] = (uint8_t)(below(256) & (i == 0 ? 0xfe : 0xff));
}

void net_sources(void)
{
    flood(SHORT, new_source);
}

/* Asks the others for answers, and takes none. */
void net_deaf(void)
{
    uint32_t written;

    begin(true);
    memset(frame + 2 * MAC, 0, 2);
    for (unsigned i = 0;; i++) {
        net_offer(&card, 0, sent, NET_HEADER + SHORT);
        while (virtq_take(&card.transmit, &written) < 0)
            ;
        for (unsigned n = 0; n < 10000; n++)
            cpu_relax();
    }
}

void net_kicks(void)
{
    begin(false);
    for (;;)
        virtio_kick(&card.virtio, &card.transmit);
}

void net_resets(void)
{
    begin(false);
    for (;;) {
        for (uint16_t slot = 0; slot < VIRTQ_SIZE; slot++)
            net_offer(&card, slot, sent, NET_HEADER + LARGE);
        if (!net_start(&card, NET_F_ALL, VECTOR, below(2)))
            bail_out("the card does not start");
    }
}

/* A descriptor of chance: no memory, too much of it, too little, a table, no end. */
static struct virtq_descriptor wild(void)
{
    static const uint32_t sizes[] = {0, 1, 11, 12, 25, 26, SHORT, 1500, LARGE, 0x10000000};
    struct virtq_descriptor d = {.flags = (uint16_t)below(8),
                                 .next = (uint16_t)below(VIRTQ_SIZE + VIRTQ_SIZE / 4),
                                 .size = sizes[below(ARRAY_SIZE(sizes))]};

    if (below(8) == 0)
        d.address = below(2) ? BEHIND : UINT64_MAX - below(PAGE_SIZE);
    else if (d.flags & VIRTQ_INDIRECT)
        d.address = (uintptr_t)table, d.size = 16 * below(TABLE + 1);
    else if (d.flags & VIRTQ_WRITE)
        d.address = (uintptr_t)card.buffers + below(NET_BUFFER);
    else
        d.address = (uintptr_t)sent + below(64);
    return d;
}

static void change(struct virtq *q)
{
    uint8_t *header = sent + below(64);

    q->descriptors[below(VIRTQ_SIZE)] = wild();
    table[below(TABLE)] = wild();
    *header = (uint8_t)below(256);
    q->available->ring[below(VIRTQ_SIZE)] = (uint16_t)below(VIRTQ_SIZE + 2);
}

void net_wild(void)
{
    begin(false);
    for (unsigned turn = 0;; turn++) {
        struct virtq *q = below(2) ? &card.transmit : &card.virtio.queue;

        for (unsigned i = 0; i < VIRTQ_SIZE; i++)
            change(q);
        q->available->index += (uint16_t)(below(64) ? below(4) : below(0x10000));
        virtio_kick(&card.virtio, q);
        if (card.virtio.common->status & VIRTIO_NEEDS_RESET || turn % 64 == 0)
            net_start(&card, NET_F_ALL | VIRTIO_F_INDIRECT_DESC, VECTOR, below(2));
    }
}
