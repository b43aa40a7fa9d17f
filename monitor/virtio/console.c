/* SPDX-License-Identifier: BSD-2-Clause */
/* The console device: see console.h. Section numbers are those of virtio 1.2. */
#include "monitor/virtio/console.h"

#include "lib/bits.h"

enum { RECEIVE, TRANSMIT, QUEUES }; /* 5.3.2, without MULTIPORT */

#define CHUNK 256u /* bytes at most into one buffer of the driver's */

/* The configuration (5.3.4): there is nothing in it without the features for it. */
static const struct {
    uint16_t columns, rows;
    uint32_t max_ports, emergency_write;
} config;

/* Whether the console has taken all of the chain. */
static bool send(struct virtio_console *c)
{
    const struct virtq_chain *o = &c->output;
    char bytes[CHUNK];
    size_t count, taken;

    do {
        count = guest_pieces_read(c->virtio.memory, o->pieces, o->readable, c->sent, bytes, CHUNK);
        taken = console_put(c->console, bytes, count);
        c->sent += taken;
        if (taken < count)
            return false;
    } while (count > 0);
    return true;
}

/* As much as the console has room for; it says when there is more. */
static void transmit(struct virtio_console *c)
{
    struct virtio *v = &c->virtio;

    if (!virtio_runs(v, TRANSMIT))
        return;
    while (c->sending || virtio_next(v, TRANSMIT, &c->output)) {
        c->sending = !send(c);
        if (c->sending)
            break;
        c->sent = 0;
        virtq_put(&v->r.queue[TRANSMIT], c->output.head, 0);
    }
    virtio_interrupt(v, TRANSMIT);
}

/* What there is no buffer for stays with the console. */
static void receive(struct virtio_console *c)
{
    struct virtio *v = &c->virtio;
    struct virtq_chain chain;
    char bytes[CHUNK];

    while (console_pending(c->console) && virtio_next(v, RECEIVE, &chain)) {
        const struct guest_piece *to = chain.pieces + chain.readable;
        unsigned pieces = chain.count - chain.readable;
        uint64_t room = min_u64(guest_pieces_size(to, pieces), CHUNK);
        size_t count = console_get(c->console, bytes, room);

        virtq_put(&v->r.queue[RECEIVE], chain.head,
                  (uint32_t)guest_pieces_write(v->memory, to, pieces, 0, bytes, count));
    }
    virtio_interrupt(v, RECEIVE);
}

void virtio_console_event(struct virtio_console *c)
{
    transmit(c);
    receive(c);
}

static void kick(struct virtio *v, unsigned queue)
{
    virtio_console_event(v->device);
}

/* The rest of a chain that is on its way is the driver's again. */
static bool reset(struct virtio *v)
{
    struct virtio_console *c = v->device;

    c->sending = false;
    c->sent = 0;
    return true;
}

void virtio_console_init(struct virtio_console *c, struct console *console, struct pci *pci,
                         const struct guest_memory *memory)
{
    static const struct virtio_kind kind = {
        .id = 3, .class = 0x078000, .queues = QUEUES, .kick = kick, .reset = reset};

    c->console = console;
    c->virtio.config_size = sizeof(config);
    c->virtio.offered = VIRTIO_F_ALL_DEVICES;
    c->sending = false;
    c->sent = 0;
    if (console->virtio)
        virtio_init(&c->virtio, &kind, c, &config, pci, memory);
}
