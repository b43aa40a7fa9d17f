/* SPDX-License-Identifier: BSD-2-Clause */
/* The builtin initrd: see initrd_builtin.h. */
#include "tool/initrd_builtin.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/paths.h"
#include "tool/process.h"

/* False with errno set. */
static bool append(FILE *to, const char *path)
{
    char bytes[1 << 16];
    size_t got;
    FILE *from = fopen(path, "r");

    if (!from)
        return false;
    while ((got = fread(bytes, 1, sizeof(bytes), from)))
        fwrite(bytes, 1, got, to);
    bool good = !ferror(from) && !ferror(to);
    fclose(from);
    return good;
}

/* Linux unpacks archives that follow each other into one tree. */
static bool join(const char *path, const char *first, const char *second)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return false;
    bool good = append(file, first) && append(file, second);
    return (fclose(file) == 0) & good;
}

char *initrd_builtin(struct machine *machine, const char *modules)
{
    char *plain = built_path(BUILT_INITRD);

    if (!plain || !modules)
        return plain;
    if (!machine->folder)
        machine->folder = work_folder_make();
    const char *name = strrchr(modules, '/') + 1;
    char *path = machine->folder ? text("%s/initrd-%s", machine->folder, name) : NULL;
    /* another VM with this kernel has the same */
    if (path && access(path, F_OK) != 0 && !join(path, plain, modules)) {
        note("%s: %s; set TMPDIR to a folder with room", path, strerror(errno));
        free(path);
        path = NULL;
    }
    free(plain);
    return path;
}
