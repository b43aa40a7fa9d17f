/* SPDX-License-Identifier: BSD-2-Clause */
/* INS and OUTS, with and without REP. */
#pragma once

#include "abi/exit.h"
#include "monitor/board.h"

/*
 * Does the instruction of an EXIT_IO_STRING, and writes the reply into the page. A long REP is done
 * in parts, with RIP left in place, so that interrupts come in between.
 */
void string_io(struct board *board, unsigned vcpu, struct exit_page *page);
