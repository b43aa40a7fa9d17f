/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two VMs on a network (tests/bochs/net.sh). The one whose command line is "echo" sends each frame
 * back to where it came from. The other one sends frames of every length, segments of TCP, many at
 * once, and has them again.
 */
#include "guests/lib/net.h"
#include "guests/lib/guest.h"
#include "lib/string.h"

#define VECTOR      0x60
#define TIMING_LEAF 0x40000010
#define WAIT_MS     200u
#define TRIES       100u

#define MAC         6u
#define TYPE        12u /* in a frame */
#define TYPE_ECHO   0x88b5u
#define TYPE_END    0x88b6u
#define TYPE_IPV4   0x0800u
#define HEADERS     54u   /* Ethernet's, IPv4's, TCP's */
#define SHORTEST    14u   /* frames, without virtio's header */
#define LONGEST     1518u /* with a VLAN tag */
#define SEGMENT     1448u
#define AT_ONCE     16u
#define AT_ONCE_LEN 1500u

static struct net_card card;
static uint8_t other[MAC];
static uint8_t sent[NET_HEADER + NET_LONGEST], got[VIRTQ_SIZE * NET_BUFFER];
static uint8_t *const frame = sent + NET_HEADER, *const answer = got + NET_HEADER;

static void set_type(uint16_t type)
{
    frame[TYPE] = (uint8_t)(type >> 8);
    frame[TYPE + 1] = (uint8_t)type;
}

static void address_frame(const uint8_t *to, uint16_t type)
{
    memcpy(frame, to, MAC);
    memcpy(frame + MAC, card.mac, MAC);
    set_type(type);
}

/* Sends all back until it is told to end. */
static void echo(void)
{
    uint64_t frames = 0;

    for (;; frames++) {
        uint32_t size;

        while ((size = net_receive(&card, got)) == 0)
            sti_hlt_cli();
        if (answer[TYPE] == TYPE_END >> 8 && answer[TYPE + 1] == (TYPE_END & 0xff))
            break;
        memcpy(answer, answer + MAC, MAC);
        memcpy(answer + MAC, card.mac, MAC);
        net_send(&card, got, size);
    }
    ok(frames > 0, "%lu frames are sent back", frames);
}

/* The next frame; 0: there was none in time. */
static uint32_t wait_frame(void)
{
    uint64_t start = rdtsc(), most = (uint64_t)cpuid(TIMING_LEAF, 0).eax * WAIT_MS;
    uint32_t size = 0;

    while (size == 0 && rdtsc() - start < most)
        size = net_receive(&card, got);
    return size;
}

/* Whoever is there answers a frame for all; it may not have started yet. */
static bool find_other(void)
{
    static const uint8_t all[MAC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    bool found = false;

    address_frame(all, TYPE_ECHO);
    for (unsigned i = 0; !found && i < TRIES; i++) {
        net_send(&card, sent, NET_HEADER + 60);
        found = wait_frame() == NET_HEADER + 60;
    }
    memcpy(other, answer + MAC, MAC);
    while (wait_frame() != 0) /* answers to earlier tries */
        ;
    return found;
}

/* What came back is what was sent, but for the addresses. */
static bool is_same(uint32_t size, uint32_t came)
{
    return came == NET_HEADER + size && memcmp(answer, card.mac, MAC) == 0 &&
           memcmp(answer + MAC, other, MAC) == 0 &&
           memcmp(answer + TYPE, frame + TYPE, size - TYPE) == 0;
}

static void fill(uint32_t from, uint32_t size)
{
    for (uint32_t i = from; i < size; i++)
        frame[i] = (uint8_t)(i * 3 + i / 256 + size);
}

static void all_lengths(void)
{
    uint32_t good = 0;

    for (uint32_t size = SHORTEST; size <= LONGEST; size++) {
        fill(TYPE + 2, size);
        net_send(&card, sent, NET_HEADER + size);
        good += is_same(size, wait_frame());
    }
    ok(good == LONGEST - SHORTEST + 1, "frames of all lengths come back, %u of %u", good,
       LONGEST - SHORTEST + 1);
}

static void at_once(void)
{
    uint32_t good = 0, written;

    fill(TYPE + 2, AT_ONCE_LEN);
    for (unsigned round = 0; round < 10; round++) {
        for (uint16_t i = 0; i < AT_ONCE; i++)
            net_offer(&card, i, sent, NET_HEADER + AT_ONCE_LEN);
        for (unsigned i = 0; i < AT_ONCE; i++)
            good += is_same(AT_ONCE_LEN, wait_frame());
        while (virtq_take(&card.transmit, &written) >= 0)
            ;
    }
    ok(good == 10 * AT_ONCE, "%u at once come back, ten times: %u frames", AT_ONCE, good);
}

/* TCP over IPv4, in a segment of many frames. */
static void make_segment(uint32_t size)
{
    static const uint8_t ip[] = {0x45, 0, 0,  0, 0, 7, 0x40, 0, 64, 6,
                                 0,    0, 10, 0, 0, 1, 10,   0, 0,  2};

    address_frame(other, TYPE_IPV4);
    memset(frame + 14, 0, HEADERS - 14);
    memcpy(frame + 14, ip, sizeof(ip));
    frame[46] = 0x50; /* TCP's header has 20 bytes */
    fill(HEADERS, size);
    *(struct net_header *)sent = (struct net_header){.flags = 1,
                                                     .gso_type = 1,
                                                     .hdr_len = HEADERS,
                                                     .gso_size = SEGMENT,
                                                     .csum_start = 34,
                                                     .csum_offset = 16};
}

static void segments_whole(void)
{
    const struct net_header *h = (const struct net_header *)got;
    uint32_t good = 0, count = 0;

    for (uint32_t size = LONGEST + 1; size <= NET_LONGEST; size += 5003, count++) {
        make_segment(size);
        net_send(&card, sent, NET_HEADER + size);
        good += is_same(size, wait_frame()) && h->gso_type == 1 && h->gso_size == SEGMENT &&
                h->flags == 1;
    }
    ok(good == count, "segments of up to 64 KiB come back whole, %u of %u", good, count);
}

/* The sum by octets of a range (RFC 1071). */
static uint32_t sum_of(const uint8_t *at, uint32_t size, uint32_t sum)
{
    for (uint32_t i = 0; i < size; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* To a driver that takes no segments they come as frames. */
static void segments_cut(void)
{
    const uint32_t size = HEADERS + 30 * SEGMENT + 100;
    uint32_t at = HEADERS, good = 0, came;

    ok(net_start(&card, NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_MRG_RXBUF, VECTOR, false),
       "the card starts again, with fewer features");
    make_segment(size);
    net_send(&card, sent, NET_HEADER + size);
    while (at < size && (came = wait_frame()) > NET_HEADER + HEADERS) {
        uint32_t bytes = came - NET_HEADER - HEADERS;

        good += memcmp(answer + HEADERS, frame + at, bytes) == 0 &&
                sum_of(answer + 14, 20, 0) == 0xffff &&
                sum_of(answer + 34, 20 + bytes, sum_of(answer + 26, 8, 6 + 20 + bytes)) == 0xffff;
        at += bytes;
    }
    ok(at == size && good == 31, "a segment comes as 31 frames with their checksums: %u", good);
    memset(sent, 0, NET_HEADER);
}

/* It is dropped, and nothing behind it. */
static void too_long(void)
{
    address_frame(other, TYPE_ECHO);
    net_send(&card, sent, NET_HEADER + LONGEST + 1);
    fill(TYPE + 2, 100);
    net_send(&card, sent, NET_HEADER + 100);
    ok(is_same(100, wait_frame()), "what is longer than a frame is not sent, what follows is");
}

void guest_main(void)
{
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(VECTOR);
    if (!net_start(&card, NET_F_ALL, VECTOR, false))
        bail_out("there is no network device");
    if (strcmp(command_line(), "echo") == 0) {
        echo();
        return;
    }
    if (!ok(find_other(), "somebody answers"))
        return;
    address_frame(other, TYPE_ECHO);
    all_lengths();
    at_once();
    segments_whole();
    segments_cut();
    too_long();
    set_type(TYPE_END);
    net_send(&card, sent, NET_HEADER + 60);
}
