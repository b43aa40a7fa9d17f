/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports at which ring 0 takes what a guest writes for a kick of a virtqueue: it sets a bit, and the
 * guest goes on. The monitor, for whom the bit is, gets the CPU when the guest halts, with its next
 * exit, or when KICK_US have passed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/gate.h"

#define DOORBELL_NOWHERE UINT32_MAX
#define DOORBELL_NONE    0xff
#define KICK_US          50

/* A VM's. No entry ever moves, and the block is set once: so whoever looks at it while a port is
 * set finds what was there before, or what is there then. */
struct doorbells {
    uint32_t block; /* where all ports are, in GATE_DOORBELLS; DOORBELL_NOWHERE at first */
    uint8_t bit[GATE_DOORBELLS]; /* of each port of the block, or DOORBELL_NONE */
};

/* None rings. */
void doorbells_init(struct doorbells *d);

/* The port rings this bit from now on, below 64; with another one not any more. False: it is in
 * another block than the first one. Pure. */
bool doorbell_set(struct doorbells *d, uint16_t port, uint64_t bit);
