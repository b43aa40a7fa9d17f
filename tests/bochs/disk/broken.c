/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk with sectors that fail: preloaded into an emulator, of the file that the variable BROKEN
 * names, in "PATH FIRST COUNT". These sectors can be neither read nor written.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

static struct stat file;
static off_t first, end;

static __attribute__((constructor)) void learn(void)
{
    const char *words = getenv("BROKEN");
    long long from, count;
    char path[256];

    if (words == NULL || sscanf(words, "%255s %lld %lld", path, &from, &count) != 3 ||
        stat(path, &file) != 0)
        abort();
    first = (off_t)from * SECTOR;
    end = first + (off_t)count * SECTOR;
}

static bool fails(int fd, size_t size)
{
    struct stat info;
    off_t at = lseek(fd, 0, SEEK_CUR);

    return at >= 0 && at < end && at + (off_t)size > first && fstat(fd, &info) == 0 &&
           info.st_ino == file.st_ino && info.st_dev == file.st_dev;
}

ssize_t read(int fd, void *to, size_t size)
{
    ssize_t (*next)(int, void *, size_t) =
        (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");

    if (!fails(fd, size))
        return next(fd, to, size);
    errno = EIO;
    return -1;
}

ssize_t write(int fd, const void *from, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

    if (!fails(fd, size))
        return next(fd, from, size);
    errno = EIO;
    return -1;
}
