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
    struct whole_file content;
    char *path = built_path(image);

    if (!path || !read_named(loading, where, path, "build again", &content)) {
        free(path);
        loading->code = LINTEL_MACHINE;
        description_error(&loading->file, where, "the program for it is not built");
        return -1;
    }
    const char *error = image_check(content.data, content.size);
    if (error) {
        loading->code = LINTEL_MACHINE;
        description_error(&loading->file, where, "the program for it, %s, %s; build again", path,
                          error);
        free(path);
        whole_file_free(&content);
        return -1;
    }
    int file = (int)add_file(loading->machine, path, content.size);
    whole_file_free(&content);
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

/* The process whose device a place among those of its class is; NULL: nobody's. */
static const struct plan_process *owner(const struct plan *plan, uint32_t pci_class, uint32_t index)
{
    for (uint32_t p = 0; p < plan->process_count; p++)
        if (plan->processes[p].pci_class == pci_class && plan->processes[p].pci_index == index)
            return &plan->processes[p];
    return NULL;
}

bool process_index_load(struct loading *loading, const char *where, const char *word,
                        struct plan_process *process)
{
    const struct plan *plan = &loading->machine->plan;
    const struct plan_process *other;
    size_t digits = word ? strspn(word, "0123456789") : 0;

    process->pci_index = 0;
    if (!word) {
        while (owner(plan, process->pci_class, process->pci_index))
            process->pci_index++;
        return true;
    }
    if (digits == 0 || digits > 3 || word[digits]) {
        description_error(&loading->file, where,
                          "'%s' is no number; write 0 for the first of its kind", word);
        return false;
    }
    process->pci_index = (uint32_t)strtoul(word, NULL, 10);
    other = owner(plan, process->pci_class, process->pci_index);
    if (other) {
        description_error(&loading->file, where, "'%s' has this one already; choose another",
                          other->name);
    }
    return !other;
}
