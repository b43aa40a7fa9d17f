/* SPDX-License-Identifier: BSD-2-Clause */
/* What the VMs and processes of a machine have used until now, as its control line tells. */
#pragma once

#include <stdio.h>

#include "abi/control.h"
#include "tool/control_line.h"

struct usage {
    uint64_t tsc_khz;
    uint32_t numbers; /* a bit for each of `vms`, in their order: its number in the plan */
    unsigned vm_count, process_count;
    struct control_vm vms[PLAN_MAX_VMS]; /* those that may be controlled */
    struct gate_process processes[PLAN_MAX_PROCESSES];
};

/* Asks for VMs, and then for processes. On another result than LINTEL_OK the user has been told
 * why. */
enum exit_code usage_fetch_vms(struct control_line *line, const struct control_hello *hello,
                               struct usage *usage);
enum exit_code usage_fetch_processes(struct control_line *line, struct usage *usage);

/* All of it. */
enum exit_code usage_fetch(struct control_line *line, const struct control_hello *hello,
                           struct usage *usage);

/* "running" and so on. */
const char *usage_state(const struct control_vm *vm);

/* A VM's exits, of all reasons. */
uint64_t usage_exits(const struct control_vm *vm);

/* Prometheus's text exposition format
 * (https://prometheus.io/docs/instrumenting/exposition_formats). */
void usage_prometheus(FILE *to, const struct usage *usage);

/* The same as JSON, in ticks of the TSC. */
void usage_json(FILE *to, const struct usage *usage);

/*
 * A table of what happened between two looks, in lines of at most `width` characters, without an
 * end of line: calls `line` for each, in their order. A VM or process that was not there at the
 * first look has done nothing yet.
 */
void usage_table(const struct usage *before, const struct usage *now, unsigned width,
                 void (*line)(const char *text));
