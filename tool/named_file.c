/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a description names: see named_file.h. */
#include "tool/named_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/name.h"

/* An errno of map's own, which opening a file does not give. */
#define NO_REGULAR_FILE EBADFD

/* Maps a regular file. False, with errno set, when that is impossible; an empty file
 * has no data. */
static bool map(const char *path, struct mapped *mapped)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */

    *mapped = (struct mapped){0};
    if (file < 0)
        return false;
    bool good = fstat(file, &info) == 0;
    if (good && !S_ISREG(info.st_mode)) {
        errno = S_ISDIR(info.st_mode) ? EISDIR : NO_REGULAR_FILE;
        good = false;
    }
    if (good && info.st_size > 0) {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        good = data != MAP_FAILED;
        if (good)
            *mapped = (struct mapped){data, (size_t)info.st_size};
    }
    int saved = errno;
    close(file);
    errno = saved;
    return good;
}

bool map_named(struct loading *loading, const char *where, const char *path, const char *remedy,
               struct mapped *mapped)
{
    if (!map(path, mapped))
        description_error(&loading->file, where, "%s: %s; %s", path[0] ? path : "''",
                          errno == NO_REGULAR_FILE ? "Not a regular file" : strerror(errno),
                          remedy);
    else if (!mapped->data)
        description_error(&loading->file, where, "%s is empty; %s", path, remedy);
    return mapped->data;
}

void unmap(struct mapped *mapped)
{
    if (mapped->data)
        munmap(mapped->data, mapped->size);
    *mapped = (struct mapped){0};
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

uint32_t add_file(struct machine *machine, char *path, const struct mapped *mapped)
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
    file->size = mapped->size;
    for (size_t i = 0; i < PLAN_NAME_SIZE - 1 && name[i]; i++) {
        file->name[i] =
            strchr(WORD_CHARACTERS, name[i]) ? name[i] : '_'; /* it goes into GRUB's menu */
    }
    machine->files[plan->file_count] = path;
    return plan->file_count++;
}
