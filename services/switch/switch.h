/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network: an Ethernet switch between the other sides of this process's channels (abi/net.h),
 * which are VMs' monitors and the driver of a network card, and trust each other in nothing.
 */
#pragma once

#include "abi/process.h"

/* Opens the channels; `pages` is where the first one's are. Once, and then switch_turn for ever:
 * moves what there is to move, as far as it is for one turn, and waits when there is no more. */
void switch_start(const struct process_info *info, void *pages);
void switch_turn(void);
