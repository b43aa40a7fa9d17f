/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports at which ring 0 takes what a guest writes for a kick of a virtqueue: it sets a bit, and the
 * guest goes on. The monitor, for whom the bit is, gets the CPU when the guest halts, with its next
 * exit, or when KICK_US have passed.
 */
#ifndef VM_DOORBELL_H
#define VM_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/gate.h"

#define DOORBELL_NONE 0xff
#define KICK_US       50

/* A VM's. */
struct doorbells {
    uint32_t first, count; /* ports: those from the first one to the last one that has a bit */
    uint8_t bit[GATE_DOORBELLS]; /* of each, or DOORBELL_NONE */
};

/* The port rings this bit from now on, below 64; with another one not any more. False: it is too
 * far from the others. Pure. */
bool doorbell_set(struct doorbells *d, uint16_t port, uint64_t bit);

#endif
