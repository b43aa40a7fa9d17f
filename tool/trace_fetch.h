/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracing by a control line: on and off, and what is in the rings then. */
#pragma once

#include "tool/control_line.h"
#include "tool/trace_events.h"

#define TRACE_RINGS_MAX 256

struct tracing {
    struct control_line *line;
    uint32_t vms, processes; /* what is traced: a bit for each */
    uint32_t ring_count;
    uint64_t from[TRACE_RINGS_MAX]; /* positions where it began */
    uint64_t lost;                  /* records that were written over before they were fetched */
};

/* Begins to trace these VMs, a bit for each, and the processes, where all VMs may be controlled. A
 * result that is not LINTEL_OK has been told, also of the others. */
enum exit_code tracing_begin(struct tracing *t, struct control_line *line, uint32_t vms);

/* Nothing is traced any more. */
enum exit_code tracing_end(struct tracing *t);

/* All that was recorded between. LINTEL_UNFINISHED: a signal waits. */
enum exit_code tracing_fetch(struct tracing *t, struct trace_events *events);

/* What was recorded from `ticks` before the last record of one of these VMs on, up to that: where
 * they have ended, their last exits. */
enum exit_code tracing_fetch_last(struct tracing *t, uint64_t ticks, struct trace_events *events);
