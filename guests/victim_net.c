/* SPDX-License-Identifier: BSD-2-Clause */
/* Two that talk on a network beside a hostile one: what they send each other arrives, as it was
 * sent, and in time. */
#include "guests/victim_net.h"

#include "guests/lib/guest.h"
#include "guests/lib/net.h"
#include "lib/string.h"

#define VECTOR      0x60
#define FRAMES      50u
#define SIZE        1000u
#define HEAD        14u
#define MAC         6u
#define WAIT_MS     1000u
#define TRIES       100u
#define TIMING_LEAF 0x40000010
#define TYPE        0xb5 /* of those that come back (guests/net.c) */

static struct net_card card;
static uint8_t sent[NET_HEADER + SIZE], got[VIRTQ_SIZE * NET_BUFFER];
static uint64_t longest, taken;

/* Whether the frame that was sent comes back, whatever else does. */
static bool ask(uint32_t number)
{
    uint64_t start = rdtsc(), most = (uint64_t)cpuid(TIMING_LEAF, 0).eax * WAIT_MS;
    uint8_t *frame = sent + NET_HEADER;
    bool found = false;

    for (uint32_t i = HEAD; i < SIZE; i++)
        frame[i] = (uint8_t)(i + number * 7);
    net_send(&card, sent, NET_HEADER + SIZE);
    while (!found && rdtsc() - start < most) {
        uint32_t size = net_receive(&card, got);

        if (size == 0)
            cpu_relax();
        found = size == NET_HEADER + SIZE && memcmp(got + NET_HEADER, card.mac, MAC) == 0 &&
                memcmp(got + NET_HEADER + 12, frame + 12, SIZE - 12) == 0;
    }
    if (found && rdtsc() - start > longest)
        longest = rdtsc() - start;
    return found;
}

/* While it computes it goes on taking what comes. */
static void take(struct interrupt_frame *frame)
{
    while (net_receive(&card, got) != 0)
        taken++;
    apic_eoi();
}

void victim_net_end(void)
{
    if (card.virtio.common != NULL)
        diag("%lu frames came while it computed", taken);
}

void victim_net(void)
{
    uint8_t *frame = sent + NET_HEADER;
    uint32_t good = 0;
    bool there = false;

    if (!net_start(&card, NET_F_MRG_RXBUF, VECTOR, false))
        return;
    apic_enable(APIC_MEMORY);
    virtio_count_interrupts(VECTOR);
    memset(frame, 0xff, MAC);
    memcpy(frame + MAC, card.mac, MAC);
    frame[12] = 0x88;
    frame[13] = TYPE;
    for (unsigned i = 0; !there && i < TRIES; i++)
        there = ask(i);
    memcpy(frame, got + NET_HEADER + MAC, MAC);
    longest = 0;
    for (unsigned n = 0; there && n < FRAMES; n++)
        good += ask(n);
    diag("%u frames came back, the last one after %lu us at most", good,
         longest * 1000 / cpuid(TIMING_LEAF, 0).eax);
    ok(there, "the other one answers");
    ok(good == FRAMES, "each frame comes back within %u ms", WAIT_MS);
    interrupt_handle(VECTOR, take);
    interrupts_on();
}
