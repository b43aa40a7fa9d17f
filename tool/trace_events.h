/* SPDX-License-Identifier: BSD-2-Clause */
/* What the records of a trace (abi/trace.h) come to: exits and turns, from when to when. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/plan.h"
#include "abi/trace.h"

enum trace_event_kind {
    TRACE_EVENT_EXIT,    /* a vCPU is not in its guest: until its next entry */
    TRACE_EVENT_MONITOR, /* a monitor has the CPU for what else than an exit has come */
    TRACE_EVENT_TURN,    /* a vCPU's thread, or a process, has the CPU */
};

struct trace_event {
    enum trace_event_kind kind;
    uint64_t start, end; /* TSC; end 0: it is not in the trace */
    uint32_t cpu;
    uint32_t what; /* of the record: whose it is, and an exit's reason */
    uint64_t rip;
    uint32_t detail;
    uint64_t monitor;        /* TSC at which the monitor got it; 0: it has not had it */
    uint32_t monitor_kind;   /* enum exit_kind */
    uint64_t monitor_events; /* EVENT_* */
    bool ring0;              /* ring 0 has answered by itself */
    uint32_t injected;       /* VM-entry interruption information of the entry that ends it */
    uint64_t msr_accesses;   /* RDMSR and WRMSR that switching took before that */
};

struct trace_events {
    struct trace_event *event;
    size_t count, room;
};

/* The events of the records of one CPU's ring, which are in the order of time, behind those that
 * are there. */
void trace_events_add(struct trace_events *events, uint32_t cpu, const struct trace_record *records,
                      size_t count);

/* All in the order of their starts. */
void trace_events_sort(struct trace_events *events);

/* Leaves those alone that start between these times, including them. */
void trace_events_between(struct trace_events *events, uint64_t first, uint64_t last);

void trace_events_free(struct trace_events *events);
