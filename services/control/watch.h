/* SPDX-License-Identifier: BSD-2-Clause */
/* The consoles of VMs as those see them who ask by the line: what was written last is fetched from
 * the console process when somebody wants it, and kept here for who asks again. */
#pragma once

#include "abi/control.h"
#include "abi/process.h"

/* Before the first request; channels begin at `pages`. */
void watch_open(const struct process_info *info, void *pages);

/* CONTROL_CALL_CONSOLE and CONTROL_CALL_TYPE. */
enum control_error watch_console(const struct control_request *request,
                                 struct control_answer *answer);
enum control_error watch_type(const struct control_request *request, struct control_answer *answer);
