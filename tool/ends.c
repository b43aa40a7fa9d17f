/* SPDX-License-Identifier: BSD-2-Clause */
/* on-reset, on-fault, on-halt and success: see ends.h. */
#include "tool/ends.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/actions.h"

static bool status_parse(const char *word, unsigned *status)
{
    int end = 0;

    return sscanf(word, "%3u%n", status, &end) == 1 && !word[end] && *status % 2 == 1 &&
           *status <= 255;
}

void ends_load(struct description_file *file, unsigned vm, struct machine *machine)
{
    const struct vm_description *from = &file->content->vms[vm];
    bool core = from->on_fault && strcmp(from->on_fault, "core") == 0;
    const char *const words[PLAN_EVENT_COUNT] = {
        [PLAN_ON_RESET] = from->on_reset,
        [PLAN_ON_FAULT] = core ? "stop" : from->on_fault,
        [PLAN_ON_HALT] = from->on_halt,
    };

    machine->cores[vm] = core;
    for (enum plan_event event = 0; event < PLAN_EVENT_COUNT; event++) {
        if (action_parse(event, words[event], &machine->plan.vms[vm].on[event]))
            continue;
        char *where = text("vms[%u].%s", vm, action_key(event));
        description_error(file, where, "'%s' is not possible; write %s", words[event],
                          action_words(event));
        free(where);
    }
    if (from->success && !status_parse(from->success, &machine->success[vm])) {
        char *where = text("vms[%u].success", vm);
        description_error(file, where, "'%s' is no exit status; write an odd number from 1 to 255",
                          from->success);
        free(where);
    }
}
