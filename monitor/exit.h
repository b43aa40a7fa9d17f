/* SPDX-License-Identifier: BSD-2-Clause */
/* What the monitor does about each kind of exit. */
#pragma once

#include "abi/exit.h"
#include "monitor/board.h"

/* Handles the exit in the page and writes the reply into it. Returns only when the vCPU can run
 * again. */
void exit_handle(struct board *board, unsigned vcpu, struct exit_page *page);
