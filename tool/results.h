/* SPDX-License-Identifier: BSD-2-Clause */
/* How a run ended, in files for other programs. */
#pragma once

#include <stdio.h>

#include "tool/machine.h"
#include "tool/outcome.h"

struct results {
    const struct machine *machine;
    const struct outcome *outcome;
    const char *suite;   /* the description's name */
    const char *message; /* what was bad about the run; NULL: nothing */
    int code;            /* of the run */
    unsigned milliseconds;
};

/* Whether the VM ended as its description calls a success. */
bool results_vm_good(const struct results *results, unsigned vm);

/* One object, with a list of the VMs. */
void results_write_json(const struct results *results, FILE *to);

/* One testsuite with a testcase for each VM: a failure when it ended badly, an error when it did
 * not end. */
void results_write_junit(const struct results *results, FILE *to);
