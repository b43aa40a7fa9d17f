/* SPDX-License-Identifier: BSD-2-Clause */
/* The server of a disk's channels, in the two steps of which process_main is made. */
#pragma once

#include "abi/process.h"

/* Starts the device, says which channel is about what, and takes the channels up. */
void serve_start(const struct process_info *info);

/* Does what there is to do, within a bound; waits for an event if that is all. */
void serve_turn(void);
