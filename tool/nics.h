/* SPDX-License-Identifier: BSD-2-Clause */
/* The network cards of the host: a process for each, whose client is its network's switch. */
#ifndef TOOL_NICS_H
#define TOOL_NICS_H

#include "tool/loading.h"

/* Checks the keys of the card of host.networks[i], which has one, and adds what it needs to the
 * plan, where `process` is the network's. */
void nic_load(struct loading *loading, unsigned i, uint32_t process);

#endif
