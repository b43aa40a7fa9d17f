/* SPDX-License-Identifier: BSD-2-Clause */
/* The console device (virtio 1.2, 5.3): one port, whose bytes are those of the VM's console. */
#pragma once

#include "monitor/console.h"
#include "monitor/virtio/transport.h"

struct virtio_console {
    struct virtio virtio;
    struct console *console;
    /* While `sending`: what the driver transmits, of which so many bytes have been taken. */
    bool sending;
    uint64_t sent;
    struct virtq_chain output;
};

/* At each start of the machine: is on the bus if the console is to be there. */
void virtio_console_init(struct virtio_console *c, struct console *console, struct pci *pci,
                         const struct guest_memory *memory);

/* The console has input, or has room. */
void virtio_console_event(struct virtio_console *c);
