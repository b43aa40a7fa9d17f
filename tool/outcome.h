/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor says on the serial line about the run as a whole. */
#ifndef TOOL_OUTCOME_H
#define TOOL_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

/* How every line of the hypervisor's own starts. */
#define OUTCOME_PREFIX "lintel: "

/* What follows the last word when nothing has ended the machine. */
#define OUTCOME_HALTED OUTCOME_PREFIX "the machine is halted; switch it off or reset it"

enum outcome_kind {
    OUTCOME_NONE,    /* the line ended without a last word */
    OUTCOME_END,     /* "lintel: end: N VMs, M faults" */
    OUTCOME_VERDICT, /* "lintel: caps: verdict: Lintel runs on this CPU", or "cannot run" */
    OUTCOME_STOPPED, /* "lintel: stopped: REASON" */
    OUTCOME_PANIC,   /* "lintel: panic: REASON" */
};

/*
 * Only the last of these lines counts, and an end or a verdict only when no line follows it but
 * that the machine is halted: a guest can print such lines too, but the hypervisor has the last
 * word.
 */
struct outcome {
    bool unforged; /* set at the start: no guest can print such a line at another's cost */
    enum outcome_kind kind;
    unsigned vms, faults; /* OUTCOME_END */
    bool can_run;         /* OUTCOME_VERDICT */
    char reason[256];     /* OUTCOME_STOPPED, OUTCOME_PANIC */
    bool vm_stopped;      /* a VM was stopped for a fault, also when the run did not end */
    char line[256];       /* the line that is being read, cut to fit */
    size_t length;
};

/* Takes the next bytes of the serial line. */
void outcome_take(struct outcome *outcome, const char *bytes, size_t length);

/* Whether the hypervisor has said how the run ended, as far as what came tells; with more, it had
 * not. */
bool outcome_is_last_word(const struct outcome *outcome);

#endif
