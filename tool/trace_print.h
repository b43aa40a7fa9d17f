/* SPDX-License-Identifier: BSD-2-Clause */
/* The events of a trace, for people and for programs. */
#pragma once

#include <stdio.h>

#include "tool/trace_events.h"

/* Who is in it, and what its times are. */
struct trace_names {
    uint64_t tsc_khz;
    const char *vms[PLAN_MAX_VMS], *processes[PLAN_MAX_PROCESSES]; /* none is NULL */
};

/* A line for each event, with microseconds from the first one on. */
void trace_print_text(FILE *to, const struct trace_names *names, const struct trace_events *events);

/* The same as CSV, with a head line; times are TSC ticks. */
void trace_print_csv(FILE *to, const struct trace_names *names, const struct trace_events *events);

/* Perfetto's format: a message perfetto.protos.Trace, with a track for each CPU, vCPU and process
 * (https://perfetto.dev/docs/reference/trace-packet-proto). */
void trace_print_perfetto(FILE *to, const struct trace_names *names,
                          const struct trace_events *events);

/* What an event is called, "CPUID" for example; whose it is, "vm/0" or a process's name; and what
 * else is known of it, "" for nothing. The words stay until the next call. */
const char *trace_what(const struct trace_event *event);
const char *trace_who(const struct trace_names *names, const struct trace_event *event);
const char *trace_detail(const struct trace_event *event);
