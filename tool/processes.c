/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes: see processes.h. */
#include "tool/processes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/image.h"
#include "tool/named_file.h"

static bool name_is_free(struct loading *loading, const char *where, const char *name)
{
    const struct plan *plan = &loading->machine->plan;
    const char *who = NULL;

    for (uint32_t i = 0; !who && i < plan->vm_count; i++)
        who = strcmp(plan->vms[i].name, name) == 0 ? "VM" : NULL;
    for (uint32_t i = 0; !who && i < plan->process_count; i++)
        who = strcmp(plan->processes[i].name, name) == 0 ? "disk or service" : NULL;
    if (who) {
        description_error(&loading->file, where, "there is a %s '%s' already; choose another name",
                          who, name);
    }
    return !who;
}

/* The file of a program; -1 after a message. */
static int add_image(struct loading *loading, const char *where, enum built_file image)
{
    struct mapped mapped;
    char *path = built_path(image);

    if (!path || !map_named(loading, where, path, "build again", &mapped)) {
        free(path);
        loading->code = LINTEL_MACHINE;
        description_error(&loading->file, where, "the program for it is not built");
        return -1;
    }
    const char *error = image_check(mapped.data, mapped.size);
    if (error) {
        loading->code = LINTEL_MACHINE;
        description_error(&loading->file, where, "the program for it, %s, %s; build again", path,
                          error);
        free(path);
        unmap(&mapped);
        return -1;
    }
    int file = (int)add_file(loading->machine, path, &mapped);
    unmap(&mapped);
    return file;
}

int process_add(struct loading *loading, const char *where, enum built_file image,
                const struct plan_process *process)
{
    struct plan *plan = &loading->machine->plan;

    if (!name_is_free(loading, where, process->name))
        return -1;
    if (plan->process_count == PLAN_MAX_PROCESSES) {
        description_error(&loading->file, where,
                          "one process more than fit; %d disks are possible beside the console",
                          PLAN_MAX_PROCESSES - 1);
        return -1;
    }
    int file = add_image(loading, where, image);
    if (file < 0)
        return -1;
    plan->processes[plan->process_count] = *process;
    plan->processes[plan->process_count].image = (uint32_t)file;
    return (int)plan->process_count++;
}

bool process_index_parse(const char *word, uint32_t *index)
{
    size_t digits = strspn(word, "0123456789");

    *index = (uint32_t)strtoul(word, NULL, 10);
    return digits > 0 && digits <= 3 && !word[digits];
}
