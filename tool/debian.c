/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetching and unpacking Debian's kernels: see debian.h. */
#include "tool/debian.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "tool/leftover.h"
#include "tool/modules.h"
#include "tool/paths.h"
#include "tool/process.h"
#include "tool/unfinished.h"

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

    if (process_run(argv, folder, output) != 0)
        return NULL;
    FILE *stream = fopen(output, "r");
    while (stream && !found && fgets(line, sizeof(line), stream))
        if (sscanf(line, " Depends: %255s", name) == 1 && strncmp(name, "linux-image-", 12) == 0)
            found = text("%s", name);
    if (stream)
        fclose(stream);
    return found ? found : text("%s", package);
}

/* Leaves the archive of the package in `folder`. Returns its path, or NULL. */
static char *download(const char *package, const char *folder, const char *output)
{
    char *name = real_package(package, folder, output), *archive = NULL;

    if (!name)
        return NULL;
    /* As root, apt would warn that its own user cannot write to our folder. */
    const char *const argv[] = {"apt-get",  "-q", "-o", "APT::Sandbox::User=root",
                                "download", name, NULL};
    if (process_run(argv, folder, output) == 0)
        archive = find_one(folder, "*.deb");
    free(name);
    return archive;
}

/* Leaves the kernel of the package somewhere below `folder`, its path in *kernel. Another code than
 * LINTEL_OK after a message. */
static enum exit_code fetch(const char *package, const char *folder, const char *output,
                            char **kernel)
{
    char *archive = download(package, folder, output);
    enum exit_code code = LINTEL_MACHINE;

    if (!archive && geteuid() == 0) {
        const char *const update[] = {"apt-get", "-q", "update", NULL};
        process_run(update, folder, output);
        archive = download(package, folder, output);
    }
    if (!archive) {
        note("the Debian package %s could not be fetched; check the name and the network, and run "
             "apt-get update as root. The last command said:",
             package);
        print_tail(output, 8);
        return LINTEL_MACHINE;
    }
    const char *const unpack[] = {"dpkg-deb", "-x", archive, "unpacked", NULL};
    if (process_run(unpack, folder, output) != 0) {
        note("the Debian package %s could not be unpacked; dpkg-deb said:", package);
        print_tail(output, 8);
    } else {
        *kernel = find_one(folder, "unpacked/boot/vmlinuz-*");
        if (!*kernel)
            *kernel = find_one(folder, "unpacked/boot/m*86+x64*"); /* memtest86+ */
        code = *kernel ? LINTEL_OK
                       : fail(LINTEL_DESCRIPTION,
                              "the Debian package %s holds no kernel; name one such as "
                              "linux-image-cloud-amd64",
                              package);
    }
    free(archive);
    return code;
}

/* Puts what was unpacked where it is kept, the kernel last. */
static enum exit_code keep(const char *kernel, const char *folder, const struct debian_kernel *to)
{
    char *unpacked = text("%s/unpacked", folder), *modules = text("%s/modules", folder);
    enum exit_code code = LINTEL_OK;

    if (!modules_pack(unpacked, modules)) {
        code = fail(LINTEL_MACHINE,
                    "the modules of %s could not be packed; does the disk have room?", kernel);
    } else if (rename(modules, to->modules) != 0 || rename(kernel, to->kernel) != 0) {
        code = fail(LINTEL_MACHINE, "%s: %s", to->kernel, strerror(errno));
    }
    free(modules);
    free(unpacked);
    return code;
}

/* Fetches into a folder beside the kernel's place, so that the last step is a rename. */
static enum exit_code fetch_to(const char *package, const struct debian_kernel *to)
{
    char *folder = text("%s.XXXXXX", to->kernel), *output, *kernel = NULL;
    char *others = text("%s.??????", to->kernel);

    leftover_remove(others);
    free(others);
    unfinished_begin(folder);
    if (!mkdtemp(folder)) {
        unfinished_end();
        free(folder);
        return fail(LINTEL_MACHINE,
                    "%s: cannot make a folder beside it; set XDG_CACHE_HOME to another one",
                    to->kernel);
    }
    leftover_hold(folder);
    output = text("%s/output", folder);
    progress("fetching the kernel of the Debian package %s", package);
    enum exit_code code = fetch(package, folder, output, &kernel);
    progress_end();
    if (code == LINTEL_OK)
        code = keep(kernel, folder, to);
    free(kernel);
    free(output);
    work_folder_remove(folder);
    return code;
}

static bool is_there(const struct debian_kernel *found, bool modules)
{
    return access(found->kernel, R_OK) == 0 && (!modules || access(found->modules, R_OK) == 0);
}

enum exit_code debian_kernel(const char *package, bool modules, struct debian_kernel *found)
{
    enum exit_code code = LINTEL_OK;

    if (!program_exists("apt-get") || !program_exists("dpkg-deb")) {
        return fail(LINTEL_MACHINE,
                    "this machine has no apt; give the path of a kernel instead of debian:%s",
                    package);
    }
    char *folder = cache_folder();
    if (!folder)
        return LINTEL_MACHINE;
    char *lock_path = text("%s/lock", folder);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    *found = (struct debian_kernel){
        .kernel = text("%s/%s.vmlinuz", folder, package),
        .modules = text("%s/%s.modules-" MODULES_VERSION, folder, package),
    };
    if (!is_there(found, modules)) {
        flock(lock, LOCK_EX); /* of two at the same time, the second finds what the first fetched */
        if (!is_there(found, modules))
            code = fetch_to(package, found);
    }
    if (code != LINTEL_OK) {
        free(found->kernel);
        free(found->modules);
    }
    close(lock);
    free(lock_path);
    free(folder);
    return code;
}
