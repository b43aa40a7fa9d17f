/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor that misbehaves as its VM's command line says, and is the ordinary one without a word
 * there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/board.h"
#include "tests/bochs/evil/odd_call.h"

/* A misdeed that returns has started the guest, which goes on in the ordinary way. */
typedef void misdeed(struct board *board, struct exit_page *page);

#define MISDEED(name, kernel, pattern)     misdeed misdeed_##name;
#define BY_SYSENTER(name, kernel, pattern) misdeed misdeed_##name;
#define INSTRUCTION(name, exception, text)
#include "tests/bochs/evil/instructions.def"
#include "tests/bochs/evil/misdeeds.def"
#undef MISDEED
#undef BY_SYSENTER
#undef INSTRUCTION

/* Ends the VM with a report unless it holds. */
void expect(bool holds, const char *what);

/* Starts the guest and runs it to its first exit of this kind, which is not answered. */
void run_to(struct board *board, struct exit_page *page, enum exit_kind kind);
