/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the trace for whoever asks at the line. */
#pragma once

#include "abi/control.h"
#include "abi/trace.h"

/* Before the first request: so many rings, which lie PROCESS_TRACE_STRIDE apart. */
void trace_init(const struct trace_ring *first, uint32_t count);

/* CONTROL_CALL_RECORDS. */
enum control_error trace_records(const struct control_request *request,
                                 struct control_answer *answer);
