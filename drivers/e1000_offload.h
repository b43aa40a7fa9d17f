/* SPDX-License-Identifier: BSD-2-Clause */
/* What a card is to finish of a frame: its checksums, and TCP segments to be cut. */
#ifndef DRIVERS_E1000_OFFLOAD_H
#define DRIVERS_E1000_OFFLOAD_H

#include "abi/net.h"
#include "drivers/e1000_regs.h"

/* Fills in the context of a frame with NET_NEEDS_CHECKSUM, whose first bytes these are (as many as
 * it has, or 2048), and changes its headers to what the card wants to find there: 3.3.6, 3.5.
 * Returns what the descriptors of its data have in their high word for it; 0: the card cannot do
 * that. */
uint64_t e1000_offload(struct tx *context, uint8_t *frame, const struct net_entry *e);

#endif
