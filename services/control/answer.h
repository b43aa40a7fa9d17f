/* SPDX-License-Identifier: BSD-2-Clause */
/* What is answered to a request, and done for it. */
#pragma once

#include "abi/control.h"
#include "abi/log.h"
#include "abi/process.h"
#include "abi/trace.h"

/* Before the first request. The rings of the trace, info->trace_rings of them, lie
 * PROCESS_TRACE_STRIDE apart. */
void answer_init(const struct process_info *info, const struct log_ring *log,
                 const struct trace_ring *trace);

/* Does what a request asks for, and fills in all of the answer but its sum. */
void answer(const struct control_request *request, struct control_answer *answer);
