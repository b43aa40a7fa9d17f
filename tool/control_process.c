/* SPDX-License-Identifier: BSD-2-Clause */
/* The control process: see control_process.h. */
#include "tool/control_process.h"

#include <stdio.h>
#include <string.h>

#include "tool/processes.h"

#define NAME "control"

/* The second serial port. */
static const struct plan_process control = {
    .name = NAME,
    .file = PLAN_NO_FILE,
    .port_range_count = 1,
    .ports = {{0x2f8, 8}},
    .interrupt_count = 1,
    .interrupts = {3},
};

static bool lets(struct loading *loading, unsigned vm)
{
    const char *word = loading->file.content->vms[vm].control;
    char where[32];

    if (!word || strcmp(word, "yes") == 0 || strcmp(word, "true") == 0)
        return true;
    if (strcmp(word, "no") != 0 && strcmp(word, "false") != 0) {
        snprintf(where, sizeof(where), "vms[%u].control", vm);
        description_error(&loading->file, where, "'%s' is not possible; write yes or no", word);
    }
    return false;
}

void control_process_load(struct loading *loading, bool wanted)
{
    struct plan_process process = control;

    for (uint32_t vm = 0; vm < loading->machine->plan.vm_count; vm++)
        if (lets(loading, vm))
            process.controls |= 1u << vm;
    if (wanted && process.controls == 0)
        description_error(&loading->file, "vms",
                          "no VM lets itself be controlled; take 'control: no' from one");
    else if (wanted)
        process_add(loading, "vms", BUILT_CONTROL, &process);
}

bool control_process_is_in(const struct plan *plan)
{
    bool is_in = false;

    for (uint32_t i = 0; i < plan->process_count; i++)
        is_in |= plan->processes[i].controls != 0;
    return is_in;
}
