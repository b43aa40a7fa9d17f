/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders that nobody holds: see leftover.h. */
#include "tool/leftover.h"

#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/process.h"

/* Between making a folder and holding it, it is in use by nobody. */
#define YOUNG_SECONDS 60

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void leftover_hold(const char *folder)
{
    int file = open_folder(folder);

    if (file >= 0)
        flock(file, LOCK_EX); /* until the process ends, however it ends */
}

/* Whether it is this user's, and nobody's. */
static bool is_left(int file)
{
    struct stat info;

    return fstat(file, &info) == 0 && info.st_uid == geteuid() &&
           time(NULL) - info.st_mtime > YOUNG_SECONDS && flock(file, LOCK_EX | LOCK_NB) == 0;
}

void leftover_remove(const char *pattern)
{
    glob_t found;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int file = open_folder(found.gl_pathv[i]);
        if (file >= 0 && is_left(file))
            path_remove(found.gl_pathv[i]);
        if (file >= 0)
            close(file);
    }
    globfree(&found);
}
