/* SPDX-License-Identifier: BSD-2-Clause */
/* The start and the restart of the virtual machine. */
#pragma once

#include "abi/exit.h"
#include "monitor/board.h"

/*
 * Resets the board, loads the guest's files and puts vCPU 0 at their entry. At a restart guest
 * memory holds what the guest left there, as after the reset of a real machine; only what the
 * loader says is zero is cleared.
 */
void machine_start(struct board *board, struct exit_page *page);

/* After a reset, or a fault in its place: likewise, but no sooner than RESTART_MS after the last
 * start. */
void machine_restart(struct board *board, struct exit_page *page);
