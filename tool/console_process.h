/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that has the serial line. */
#ifndef TOOL_CONSOLE_PROCESS_H
#define TOOL_CONSOLE_PROCESS_H

#include <stdbool.h>

#include "tool/loading.h"

/* Adds it to the plan, with a channel for each VM that has a share of the line. After the VMs. */
void console_process_load(struct loading *loading);

/* Whether these words for the hypervisor's command line say that the lines of all VMs are shown: of
 * several, the last one counts; without one, `otherwise`. The words may be NULL. */
bool console_words_say_lines(const char *words, bool otherwise);

/* Tells the process so, if the plan has it. */
void console_process_set_lines(struct plan *plan, bool lines);

#endif
