/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes from the serial line, into files as plain text: all of it in one, and what each VM
 * wrote in one of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "abi/plan.h"
#include "tool/plain.h"
#include "tool/report.h"

struct console_log {
    const struct plan *plan;
    bool labelled; /* each VM's lines have its name in front */
    FILE *whole, *vms[PLAN_MAX_VMS];
    struct plain plain;
    int current, before; /* whose lines come: an index into the plan's VMs, or -1; and earlier */
    int writer;          /* whose the rest of this line is; -1: the hypervisor's */
    bool decided;        /* the line's beginning has told */
    char line[256];      /* its beginning */
    size_t length;
};

/*
 * Makes the files: FOLDER/console.log of all that comes, and FOLDER/NAME.log for each VM; a NULL
 * folder is for none. On LINTEL_OK console_log_close must follow.
 */
enum exit_code console_log_open(struct console_log *log, const struct plan *plan, bool labelled,
                                const char *whole_folder, const char *vms_folder);

/* Takes the next bytes from the hypervisor's first line on. */
void console_log_take(struct console_log *log, const char *bytes, size_t length);

/* The files are complete. Another code than LINTEL_OK after a message: they cannot be written. */
enum exit_code console_log_close(struct console_log *log);
