/* SPDX-License-Identifier: BSD-2-Clause */
/* The start and the restart of the virtual machine. */
#ifndef MONITOR_START_H
#define MONITOR_START_H

#include <stdbool.h>

#include "abi/exit.h"
#include "monitor/board.h"

/*
 * Resets the board, loads the guest's files and puts vCPU 0 at their entry. `clean` says that the
 * guest's memory is all zeroes, as at the first start; at a restart it holds what the guest left
 * there, and only what the loader says is zero is cleared: as after the reset of a real machine,
 * the rest keeps its contents.
 */
void machine_start(struct board *board, struct exit_page *page, bool clean);

#endif
