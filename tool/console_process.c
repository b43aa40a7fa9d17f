/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: see console_process.h. */
#include "tool/console_process.h"

#include <stdio.h>
#include <string.h>

#include "abi/console.h"
#include "tool/processes.h"

#define NAME "console"
#define WORD "console="

static const struct plan_process console = {
    .name = NAME,
    .file = PLAN_NO_FILE,
    .grants = PLAN_GRANT_LOG,
    .port_range_count = 1,
    .ports = {{0x3f8, 8}},
    .interrupt_count = 1,
    .interrupts = {4},
};

/* Its channel to a VM, which has a share of the line or not. */
static void add_channel(struct loading *loading, uint32_t vm, uint32_t process)
{
    struct plan *plan = &loading->machine->plan;
    const char *says = loading->file.content->vms[vm].console;
    bool none = says && strcmp(says, "none") == 0, virtio = says && strcmp(says, "virtio") == 0;

    if (says && !none && !virtio && strcmp(says, "serial") != 0) {
        char where[32];
        snprintf(where, sizeof(where), "vms[%u].console", vm);
        description_error(&loading->file, where, "'%s' is no console; write serial, virtio or none",
                          says);
    }
    struct plan_channel *channel = &plan->channels[plan->channel_count++];

    *channel = (struct plan_channel){
        .kind = PLAN_CHANNEL_CONSOLE,
        .size = CONSOLE_CHANNEL_SIZE,
        .client = vm,
        .server = PLAN_PROCESS | process,
        .read_only = none,
    };
    snprintf(channel->label, sizeof(channel->label), "%s", virtio ? CONSOLE_VIRTIO : "");
}

void console_process_load(struct loading *loading)
{
    struct plan *plan = &loading->machine->plan;
    char where[32] = "vms";

    for (uint32_t vm = 0; vm < plan->vm_count; vm++)
        if (strcmp(plan->vms[vm].name, NAME) == 0)
            snprintf(where, sizeof(where), "vms[%u].name", vm);
    struct plan_process row = console;

    row.cpu = loading->common;
    int process = process_add(loading, where, BUILT_CONSOLE, &row);

    for (uint32_t vm = 0; process >= 0 && vm < plan->vm_count; vm++)
        add_channel(loading, vm, (uint32_t)process);
    console_process_set_lines(plan, false);
}

bool console_process_word(const char *word)
{
    return strncmp(word, WORD, strlen(WORD)) == 0;
}

/* Whether a word that may have others behind it is this one. */
static bool is_word(const char *word, const char *this)
{
    size_t length = strcspn(word, " ");

    return strlen(this) == length && strncmp(word, this, length) == 0;
}

enum console_words console_words_read(const char *words)
{
    enum console_words said = CONSOLE_WORDS_NONE;

    for (; words && *words; words += strcspn(words, " "), words += strspn(words, " ")) {
        if (!console_process_word(words))
            continue;
        if (is_word(words, WORD "lines"))
            said = CONSOLE_WORDS_LINES;
        else if (is_word(words, WORD "focus"))
            said = CONSOLE_WORDS_FOCUS;
        else
            return CONSOLE_WORDS_WRONG;
    }
    return said;
}

void console_process_set_lines(struct plan *plan, bool lines)
{
    for (uint32_t i = 0; i < plan->process_count; i++) {
        struct plan_process *process = &plan->processes[i];
        if (process->grants & PLAN_GRANT_LOG)
            snprintf(process->arguments, sizeof(process->arguments), WORD "%s",
                     lines ? "lines" : "focus");
    }
}
