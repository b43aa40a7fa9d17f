/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: see console_process.h. */
#include "tool/console_process.h"

#include <stdio.h>
#include <string.h>

#include "tool/processes.h"

#define NAME "console"

void console_process_load(struct loading *loading)
{
    static const struct plan_process console = {
        .name = NAME,
        .file = PLAN_NO_FILE,
        .grants = PLAN_GRANT_LOG,
        .port_range_count = 1,
        .ports = {{0x3f8, 8}},
        .interrupt_count = 1,
        .interrupts = {4},
    };
    struct plan *plan = &loading->machine->plan;
    int process = process_add(loading, "vms", BUILT_CONSOLE, &console);

    for (uint32_t vm = 0; process >= 0 && vm < plan->vm_count; vm++) {
        if (plan->vms[vm].console != PLAN_CONSOLE_SERIAL)
            continue;
        plan->channels[plan->channel_count++] = (struct plan_channel){
            .kind = PLAN_CHANNEL_CONSOLE,
            .client = vm,
            .server = PLAN_PROCESS | (uint32_t)process,
        };
    }
    console_process_set_lines(plan, false);
}

bool console_words_say_lines(const char *words, bool otherwise)
{
    static const char key[] = "console=", lines[] = "console=lines";

    for (const char *word = words; word && (word = strstr(word, key)); word++)
        otherwise = strncmp(word, lines, strlen(lines)) == 0;
    return otherwise;
}

void console_process_set_lines(struct plan *plan, bool lines)
{
    for (uint32_t i = 0; i < plan->process_count; i++) {
        struct plan_process *process = &plan->processes[i];
        if (strcmp(process->name, NAME) == 0)
            snprintf(process->arguments, sizeof(process->arguments), "console=%s",
                     lines ? "lines" : "focus");
    }
}
