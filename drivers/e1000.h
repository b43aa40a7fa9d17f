/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of a network card, by its turns, for tests. */
#pragma once

#include "abi/process.h"

/* Takes up the channel to the network, and starts the card. Once, and then e1000_turn for ever:
 * moves what there is to move, and waits when there is no more. A card that is not there, or does
 * not start, is one whose link is down. */
void e1000_start(const struct process_info *info);
void e1000_turn(void);
