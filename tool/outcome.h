/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor says on the serial line about the run as a whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/plan.h"

/* How every line of the hypervisor's own starts. */
#define OUTCOME_PREFIX "lintel: "

/* What follows the last word when nothing has ended the machine. */
#define OUTCOME_HALTED OUTCOME_PREFIX "the machine is halted; switch it off or reset it"

/* The most addresses that are kept of a panic's. */
#define OUTCOME_PLACES 25

enum outcome_kind {
    OUTCOME_NONE,    /* the line ended without a last word */
    OUTCOME_END,     /* "lintel: end: N VMs, M faults" */
    OUTCOME_VERDICT, /* "lintel: caps: verdict: Lintel runs on this CPU", or "cannot run" */
    OUTCOME_STOPPED, /* "lintel: stopped: REASON" */
    OUTCOME_PANIC,   /* "lintel: panic: REASON" */
};

enum vm_end {
    VM_RUNNING, /* it has not ended */
    VM_POWERED_OFF,
    VM_FAULT,
    VM_EXITED, /* with a status, by isa-debug-exit */
    VM_RESET,  /* and on-reset is stop */
    VM_HALTED, /* for ever, and on-halt is stop */
};

/* What the hypervisor said of one VM. */
struct outcome_vm {
    const char *name;
    unsigned vcpus;
    enum vm_end end;
    unsigned status;  /* VM_EXITED */
    char why[200];    /* in the hypervisor's words; "" as long as it runs */
    uint32_t located; /* reports said where its guest's vCPUs are, a bit for each: */
    uint64_t rip[PLAN_MAX_VCPUS];
    unsigned reporting; /* whose lines come */
    uint32_t reported;  /* the report is complete, or the vCPU is off; a bit for each */
};

/*
 * Only the last of these lines counts, and an end or a verdict only when no line follows it but
 * that the machine is halted: a guest can print such lines too, but the hypervisor has the last
 * word. Of each VM likewise.
 */
struct outcome {
    bool unforged; /* set at the start: no guest can print such a line at another's cost */
    enum outcome_kind kind;
    unsigned vm_count, faults;       /* OUTCOME_END */
    bool can_run;                    /* OUTCOME_VERDICT */
    char reason[256];                /* OUTCOME_STOPPED, OUTCOME_PANIC */
    uint64_t places[OUTCOME_PLACES]; /* OUTCOME_PANIC: where it was, and how it came there */
    unsigned place_count;
    struct outcome_vm vms[PLAN_MAX_VMS];
    char line[256]; /* the line that is being read, cut to fit */
    size_t length;
};

/* Nothing was said yet, and the VMs have the plan's names. */
void outcome_begin(struct outcome *outcome, const struct plan *plan);

/* Whether a VM was stopped for a fault, also when the run did not end. */
bool outcome_has_fault(const struct outcome *outcome);

/* All VMs are asked where their guests are: no report of earlier counts. */
void outcome_asked(struct outcome *outcome);

/* Whether every VM has ended, or has reported where each of its vCPUs is. */
bool outcome_all_reported(const struct outcome *outcome);

/* Takes the next bytes of the serial line. */
void outcome_take(struct outcome *outcome, const char *bytes, size_t length);

/* Whether the hypervisor has said how the run ended, as far as what came tells; with more, it had
 * not. */
bool outcome_is_last_word(const struct outcome *outcome);
