/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of this machine's loopback that lead to a guest, while an emulated machine with a network
 * card runs. */
#pragma once

#include "tool/loading.h"

/* Reads the list of the card that is described at `where`, as in "host.networks[1].nic". */
void forwards_load(struct loading *loading, const char *where, const struct nic_description *nic);

/* Says which of the ports this machine does not give to who asks for them now. */
void forwards_try(struct loading *loading);
