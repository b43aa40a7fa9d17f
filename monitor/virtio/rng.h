/* SPDX-License-Identifier: BSD-2-Clause */
/* The entropy device (virtio 1.2, 5.4): what the processor's RDRAND gives. */
#pragma once

#include "monitor/virtio/transport.h"

struct rng {
    struct virtio virtio;
};

/* At each start of the machine. A processor without RDRAND has no such device. */
void rng_init(struct rng *rng, struct pci *pci, const struct guest_memory *memory);
