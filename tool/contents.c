/* SPDX-License-Identifier: BSD-2-Clause */
/* The contents of partitions: see contents.h. */
#include "tool/contents.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/debian.h"
#include "tool/named_file.h"
#include "tool/paths.h"
#include "tool/process.h"
#include "tool/size.h"

/* The packages, where the contents are a Debian's; NULL: they are a file's. */
static const char *packages_of(const char *contents)
{
    size_t prefix = strlen(DEBIAN_PREFIX);

    return strncmp(contents, DEBIAN_PREFIX, prefix) == 0 ? contents + prefix : NULL;
}

/* Names of packages (Debian Policy, 5.6.1), separated by commas. */
static bool are_packages(const char *list)
{
    bool begins = true;

    for (; *list; list++) {
        bool letter = islower((unsigned char)*list) || isdigit((unsigned char)*list);
        if (!letter && (begins || !strchr("+-.,", *list)))
            return false;
        begins = *list == ',';
    }
    return !begins;
}

char *contents_load(struct loading *loading, unsigned vm)
{
    const char *word = loading->file.content->vms[vm].disk->contents;
    char where[40];
    struct whole_file found;

    snprintf(where, sizeof(where), "vms[%u].disk.contents", vm);
    if (!word)
        return NULL;
    const char *packages = packages_of(word);
    if (packages && !are_packages(packages)) {
        description_error(&loading->file, where,
                          "'%s' names no Debian packages; write them with commas and no blanks, "
                          "such as debian:systemd-sysv,udev",
                          word);
        return NULL;
    }
    if (packages)
        return text("%s", word);
    char *path = beside_description(loading, word);
    if (look_named(loading, where, path, "name the image of a file system, or debian:PACKAGE,...",
                   &found))
        return path;
    free(path);
    return NULL;
}

void contents_look(struct loading *loading, const char *where, const char *contents, uint64_t size)
{
    struct stat info;
    char has[24], room[24];

    if (packages_of(contents)) {
        if (program_exists("mmdebstrap") && program_exists("fakeroot"))
            return;
        loading->code = LINTEL_MACHINE;
        description_error(&loading->file, where,
                          "a Debian for a disk is made by mmdebstrap and fakeroot, which are "
                          "missing; install these packages");
    } else if (stat(contents, &info) == 0 && (uint64_t)info.st_size > size) {
        description_error(&loading->file, where,
                          "%s has %s, and the partition %s; raise its 'size'", contents,
                          size_text((uint64_t)info.st_size, has), size_text(size, room));
    }
}

static int write_debian(const char *packages, uint64_t size, const char *vm, const char *disk,
                        const char *start, const char *log)
{
    char *cache = cache_folder(), *script = built_path(BUILT_DEBIAN_ROOT);
    char *bytes = text("%" PRIu64, size);
    const char *const argv[] = {"sh", script, cache, packages, vm, disk, start, bytes, NULL};
    int result = cache && script ? process_run(argv, NULL, log) : -1;

    free(bytes);
    free(script);
    free(cache);
    return result;
}

static int write_file(const char *path, const char *disk, const char *start, const char *log)
{
    char *from = text("if=%s", path), *to = text("of=%s", disk), *seek = text("seek=%s", start);
    const char *const argv[] = {
        "dd", from, to, seek, "bs=1M", "oflag=seek_bytes", "conv=notrunc,sparse", NULL};
    int result = process_run(argv, NULL, log);

    free(seek);
    free(to);
    free(from);
    return result;
}

enum exit_code contents_write(const struct machine_partition *partition, const char *vm,
                              const char *disk, uint64_t start, const char *folder)
{
    const char *packages = packages_of(partition->contents);
    char *log = text("%s/contents.log", folder), *at = text("%" PRIu64, start);
    enum exit_code code = LINTEL_OK;

    progress("putting %s into the partition %s", partition->contents, partition->label);
    if ((packages ? write_debian(packages, partition->size, vm, disk, at, log)
                  : write_file(partition->contents, disk, at, log)) != 0) {
        code = fail(LINTEL_MACHINE,
                    "%s could not be put into the partition %s; is there room, "
                    "and a network? The last command said:",
                    partition->contents, partition->label);
        print_tail(log, 10);
    }
    free(at);
    free(log);
    return code;
}
