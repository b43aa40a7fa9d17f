/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetching and unpacking Debian's kernels: see debian.h. */
#include "tool/debian.h"

#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "tool/paths.h"
#include "tool/process.h"

/* The one file that a pattern in a folder matches; the caller frees it. NULL when there is none. */
static char *find_one(const char *folder, const char *pattern)
{
    char *whole = text("%s/%s", folder, pattern), *found = NULL;
    glob_t matches;

    if (glob(whole, 0, NULL, &matches) == 0) {
        found = text("%s", matches.gl_pathv[0]);
        globfree(&matches);
    }
    free(whole);
    return found;
}

/* The package that holds the kernel itself; the caller frees it. NULL when apt does not know the
 * package. */
static char *real_package(const char *package, const char *folder, const char *output)
{
    const char *const argv[] = {"apt-cache", "depends", package, NULL};
    char line[512], name[256], *found = NULL;

    if (process_run(argv, folder, output) != 0) {
        return NULL;
    }
    FILE *stream = fopen(output, "r");
    while (stream && !found && fgets(line, sizeof(line), stream)) {
        if (sscanf(line, " Depends: %255s", name) == 1 && strncmp(name, "linux-image-", 12) == 0) {
            found = text("%s", name);
        }
    }
    if (stream) {
        fclose(stream);
    }
    return found ? found : text("%s", package);
}

/* Leaves the kernel of the package somewhere below `folder`; returns its path, or NULL. */
static char *fetch(const char *package, const char *folder, const char *output)
{
    char *name = real_package(package, folder, output), *archive = NULL, *kernel = NULL;

    if (!name) {
        return NULL;
    }
    /* As root, apt would warn that its own user cannot write to our folder. */
    const char *const download[] = {"apt-get",  "-q", "-o", "APT::Sandbox::User=root",
                                    "download", name, NULL};
    if (process_run(download, folder, output) == 0) {
        archive = find_one(folder, "*.deb");
    }
    if (archive) {
        const char *const unpack[] = {"dpkg-deb", "-x", archive, "unpacked", NULL};
        if (process_run(unpack, folder, output) == 0) {
            kernel = find_one(folder, "unpacked/boot/vmlinuz-*");
        }
    }
    free(archive);
    free(name);
    return kernel;
}

/* Fetches into a folder beside `path`, so that the last step is a rename. */
static enum exit_code fetch_to(const char *package, const char *path)
{
    char *folder = text("%s.XXXXXX", path), *output, *kernel;
    enum exit_code code = LINTEL_MACHINE;

    if (!mkdtemp(folder)) {
        free(folder);
        return fail(LINTEL_MACHINE,
                    "%s: cannot make a folder beside it; set XDG_CACHE_HOME to another one", path);
    }
    output = text("%s/output", folder);
    progress("fetching the kernel of the Debian package %s", package);
    kernel = fetch(package, folder, output);
    if (!kernel && geteuid() == 0) {
        const char *const update[] = {"apt-get", "-q", "update", NULL};
        process_run(update, folder, output);
        kernel = fetch(package, folder, output);
    }
    progress_end();
    if (kernel && rename(kernel, path) == 0) {
        code = LINTEL_OK;
    } else {
        note("the Debian package %s could not be fetched, or holds no kernel; check the name and "
             "the network, and "
             "run apt-get update as root. The last command said:",
             package);
        print_tail(output, 8);
    }
    free(kernel);
    work_folder_remove(folder);
    free(output);
    free(folder);
    return code;
}

enum exit_code debian_kernel(const char *package, char **path)
{
    enum exit_code code = LINTEL_OK;

    if (!program_exists("apt-get") || !program_exists("dpkg-deb")) {
        return fail(LINTEL_MACHINE,
                    "this machine has no apt; give the path of a kernel instead of debian:%s",
                    package);
    }
    char *folder = cache_folder();
    if (!folder) {
        return LINTEL_MACHINE;
    }
    char *lock_path = text("%s/lock", folder);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *path = text("%s/%s.vmlinuz", folder, package);
    if (access(*path, R_OK) != 0) {
        flock(lock, LOCK_EX); /* of two at the same time, the second finds what the first fetched */
        if (access(*path, R_OK) != 0) {
            code = fetch_to(package, *path);
        }
    }
    if (code != LINTEL_OK) {
        free(*path);
    }
    close(lock);
    free(lock_path);
    free(folder);
    return code;
}
