/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a description names: see named_file.h. */
#include "tool/named_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "tool/name.h"

/* Whether it is of use; otherwise says why not. */
static bool is_good(struct loading *loading, const char *where, const char *path,
                    const char *remedy, bool found, const struct whole_file *file)
{
    if (!found)
        description_error(&loading->file, where, "%s: %s; %s", path[0] ? path : "''",
                          errno == NO_REGULAR_FILE ? "Not a regular file" : strerror(errno),
                          remedy);
    else if (file->size == 0)
        description_error(&loading->file, where, "%s is empty; %s", path, remedy);
    return found && file->size > 0;
}

bool read_named(struct loading *loading, const char *where, const char *path, const char *remedy,
                struct whole_file *file)
{
    bool found = whole_file_read(path, file);

    return is_good(loading, where, path, remedy, found, file);
}

bool look_named(struct loading *loading, const char *where, const char *path, const char *remedy,
                struct whole_file *file)
{
    bool found = whole_file_look(path, file);

    return is_good(loading, where, path, remedy, found, file);
}

char *beside_description(const struct loading *loading, const char *name)
{
    if (name[0] == '/' || !name[0])
        return text("%s", name);
    char *copy = text("%s", loading->file.path);
    const char *folder = dirname(copy);
    char *path = strcmp(folder, ".") == 0 ? text("%s", name) : text("%s/%s", folder, name);
    free(copy);
    return path;
}

uint32_t add_file(struct machine *machine, char *path, size_t size)
{
    struct plan *plan = &machine->plan;

    for (uint32_t i = 0; i < plan->file_count; i++) {
        if (strcmp(machine->files[i], path) == 0) {
            free(path);
            return i;
        }
    }
    struct plan_file *file = &plan->files[plan->file_count];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    file->size = size;
    for (size_t i = 0; i < PLAN_NAME_SIZE - 1 && name[i]; i++) {
        file->name[i] =
            strchr(WORD_CHARACTERS, name[i]) ? name[i] : '_'; /* it goes into GRUB's menu */
    }
    machine->files[plan->file_count] = path;
    return plan->file_count++;
}
