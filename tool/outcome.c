/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the hypervisor's verdict: see outcome.h. */
#include "tool/outcome.h"

#include <stdio.h>
#include <string.h>

/* The rest of a line after a prefix, or NULL. */
static const char *after(const char *line, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(line, prefix, length) == 0 ? line + length : NULL;
}

static void read_line(struct outcome *outcome)
{
    const char *rest;
    int end = 0;

    outcome->line[outcome->length] = '\0';
    if (outcome->length == 0)
        return;
    if (after(outcome->line, OUTCOME_PREFIX "vm ") &&
        strstr(outcome->line, ": stopped for a fault: ")) {
        outcome->vm_stopped = true;
    }
    if (sscanf(outcome->line, OUTCOME_PREFIX "end: %u VMs, %u faults%n", &outcome->vms,
               &outcome->faults, &end) == 2 &&
        end && outcome->line[end] == '\0') {
        outcome->kind = OUTCOME_END;
    } else if ((rest = after(outcome->line, OUTCOME_PREFIX "caps: verdict: "))) {
        outcome->kind = OUTCOME_VERDICT;
        outcome->can_run = after(rest, "Lintel runs ") != NULL;
    } else if ((rest = after(outcome->line, OUTCOME_PREFIX "stopped: "))) {
        outcome->kind = OUTCOME_STOPPED;
        snprintf(outcome->reason, sizeof(outcome->reason), "%s", rest);
    } else if ((rest = after(outcome->line, OUTCOME_PREFIX "panic: "))) {
        outcome->kind = OUTCOME_PANIC;
        snprintf(outcome->reason, sizeof(outcome->reason), "%s", rest);
    } else if ((outcome->kind == OUTCOME_END || outcome->kind == OUTCOME_VERDICT) &&
               strcmp(outcome->line, OUTCOME_HALTED) != 0) {
        outcome->kind = OUTCOME_NONE;
    }
}

void outcome_take(struct outcome *outcome, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            read_line(outcome);
            outcome->length = 0;
        } else if (bytes[i] != '\r' && outcome->length < sizeof(outcome->line) - 1) {
            outcome->line[outcome->length++] = bytes[i];
        }
    }
}

bool outcome_is_last_word(const struct outcome *outcome)
{
    return outcome->unforged && outcome->kind != OUTCOME_NONE && outcome->length == 0;
}
