/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a regular file; -1 with errno set. */
static int open_regular(const char *path, size_t *size)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */

    if (file < 0)
        return -1;
    int error = fstat(file, &info) != 0 ? errno : 0;
    if (error == 0 && !S_ISREG(info.st_mode))
        error = S_ISDIR(info.st_mode) ? EISDIR : NO_REGULAR_FILE;
    if (error == 0) {
        *size = (size_t)info.st_size;
        return file;
    }
    close(file);
    errno = error;
    return -1;
}

bool whole_file_look(const char *path, struct whole_file *file)
{
    *file = (struct whole_file){0};
    int from = open_regular(path, &file->size);

    if (from >= 0)
        close(from);
    return from >= 0;
}

/* As much as there is of what was there when it was opened. */
static bool read_all(int from, struct whole_file *file)
{
    size_t done = 0;
    ssize_t part = 1;

    while (done < file->size && part > 0) {
        part = read(from, file->data + done, file->size - done);
        done += part > 0 ? (size_t)part : 0;
    }
    file->size = done;
    return part >= 0;
}

bool whole_file_read(const char *path, struct whole_file *file)
{
    *file = (struct whole_file){0};
    int from = open_regular(path, &file->size);

    if (from < 0)
        return false;
    file->data = malloc(file->size > 0 ? file->size : 1);
    bool good = file->data && read_all(from, file);
    int error = errno;
    close(from);
    if (!good || file->size == 0)
        whole_file_free(file);
    errno = error;
    return good;
}

void whole_file_free(struct whole_file *file)
{
    free(file->data);
    *file = (struct whole_file){0};
}
