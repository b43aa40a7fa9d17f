/* SPDX-License-Identifier: BSD-2-Clause */
/* The network cards of the host: a process for each, whose client is its network's switch. */
#pragma once

#include "tool/loading.h"

/* Of all that there are. */
#define NIC_DRIVER "e1000"

/* Checks the keys of a network's card, which is described at `where`, as in "host.networks[1].nic",
 * and adds what it needs to the plan, where `process` is the network's. */
void nic_load(struct loading *loading, const struct nic_description *from, const char *where,
              uint32_t process);
