/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger is to count (bench/net): frames from one VM to another, as Linux's drivers send
 * and take them: one kick is for all that are there, nobody wants to hear that they are sent, and
 * both halt when they have nothing to do. Each run stands between XCHG BX, BX: the sender's before
 * its kick, and the receiver's when it has them all; then that one sends a frame. The receiver is
 * the one whose command line is "receive".
 */
#include "guests/lib/guest.h"
#include "guests/lib/net.h"
#include "lib/string.h"

#define VECTOR      0x60
#define FEATURES    (NET_F_ALL | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define RUNS        15
#define AT_ONCE     VIRTQ_SIZE
#define SIZE        1500u
#define MAC         6u
#define TRY_MS      100u
#define TIMING_LEAF 0x40000010
#define COUNT_AT    14u /* in a frame: how many make the next run; 0: there is none */

static struct net_card card;
static uint8_t sent[NET_HEADER + SIZE], got[VIRTQ_SIZE * NET_BUFFER];

static void mark(void)
{
    __asm__ volatile("xchgw %%bx, %%bx" : : : "memory");
}

/* The next interrupt is wanted for the next frame. */
static void on_interrupt(struct interrupt_frame *frame)
{
    card.virtio.queue.available->used_event = card.virtio.queue.used->index;
    apic_eoi();
}

/* As many as there are buffers at most: none is given back meanwhile. */
static void wait_frames(unsigned count)
{
    struct virtq *q = &card.virtio.queue;
    uint16_t end = (uint16_t)(q->taken + count);

    while ((int16_t)(q->used->index - end) < 0)
        sti_hlt_cli();
}

static uint8_t take(unsigned count)
{
    uint8_t said = 0;

    for (; count > 0; count--) {
        if (net_receive(&card, got) < NET_HEADER + COUNT_AT + 1)
            bail_out("a frame is missing");
        said = got[NET_HEADER + COUNT_AT];
    }
    return said;
}

/* Makes frames available whose descriptors lie there, and wants no interrupt for them. */
static void send(unsigned count)
{
    static uint16_t slots[AT_ONCE];
    struct virtq *q = &card.transmit;

    for (uint16_t i = 0; i < count; i++)
        slots[i] = i;
    q->available->used_event = (uint16_t)(q->used->index - 1);
    virtq_offer_all(&card.virtio, q, slots, count);
}

static void make(unsigned count, uint8_t said)
{
    sent[NET_HEADER + COUNT_AT] = said;
    for (unsigned i = 0; i < count; i++)
        card.transmit.descriptors[i] =
            (struct virtq_descriptor){(uintptr_t)sent, sizeof(sent), 0, 0};
}

/* To whom the last one came from. */
static void address(void)
{
    memcpy(sent + NET_HEADER, got + NET_HEADER + MAC, MAC);
}

/* The first frame says who asks. Each says how many make the next run. */
static void receive(void)
{
    for (uint8_t count = 1, marked = 0; count > 0; marked = 1) {
        wait_frames(count);
        if (marked)
            mark();
        count = take(count);
        address();
        make(1, 0);
        send(1);
    }
}

/* The other one may not have started yet. */
static void find_receiver(void)
{
    uint64_t khz = cpuid(TIMING_LEAF, 0).eax;

    memset(sent + NET_HEADER, 0xff, MAC);
    while (card.virtio.queue.used->index == card.virtio.queue.taken) {
        uint64_t start = rdtsc();

        make(1, 1);
        send(1);
        while (rdtsc() - start < khz * TRY_MS)
            cpu_relax();
    }
}

static void wait_answer(void)
{
    wait_frames(1);
    take(1);
    address();
}

static void measure(unsigned count, unsigned then)
{
    for (unsigned run = 0; run < RUNS; run++) {
        wait_answer();
        make(count, (uint8_t)(run + 1 < RUNS ? count : then));
        mark();
        send(count);
    }
}

void guest_main(void)
{
    apic_enable(APIC_X2);
    virtio_count_interrupts(VECTOR);
    interrupt_handle(VECTOR, on_interrupt);
    if (!net_start(&card, FEATURES, VECTOR, false))
        bail_out("there is no network device");
    memcpy(sent + NET_HEADER + MAC, card.mac, MAC);
    if (strcmp(command_line(), "receive") == 0) {
        receive();
        ok(true, "received");
        return;
    }
    find_receiver();
    measure(1, AT_ONCE);
    measure(AT_ONCE, 0);
    wait_answer();
    ok(true, "measured");
}
