/* SPDX-License-Identifier: BSD-2-Clause */
/* Making the file of an emulated disk: see disk_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/contents.h"
#include "tool/disk_file.h"
#include "tool/process.h"
#include "tool/size.h"
#include "tool/unfinished.h"

/* The byte at which a partition of its disk begins. */
static uint64_t start_of(const struct machine *machine, unsigned partition)
{
    uint64_t start = MIB;

    for (unsigned i = 0; i < partition; i++)
        if (machine->partitions[i].disk == machine->partitions[partition].disk)
            start += machine->partitions[i].size;
    return start;
}

/* What sfdisk(8) is told: the partitions one after the other, from 1 MiB on. */
static bool write_script(const struct machine *machine, unsigned disk, const char *path)
{
    FILE *script = fopen(path, "w");

    if (!script)
        return false;
    fprintf(script, "label: gpt\n");
    for (unsigned i = 0; i < machine->partition_count; i++) {
        const struct machine_partition *partition = &machine->partitions[i];
        if (partition->disk == disk)
            fprintf(script, "start=%" PRIu64 "MiB, size=%" PRIu64 "MiB, type=linux, name=\"%s\"\n",
                    start_of(machine, i) / MIB, partition->size / MIB, partition->label);
    }
    return fclose(script) == 0;
}

static enum exit_code write_contents(const struct machine *machine, unsigned disk,
                                     const char *beside, const char *folder)
{
    enum exit_code code = LINTEL_OK;

    for (unsigned i = 0; code == LINTEL_OK && i < machine->partition_count; i++) {
        const struct machine_partition *partition = &machine->partitions[i];
        if (partition->disk == disk && partition->contents)
            code = contents_write(partition, machine->plan.vms[partition->vm].name, beside,
                                  start_of(machine, i), folder);
    }
    return code;
}

/* Gives the file `path` a partition table. Returns sfdisk's exit code. */
static int partition(const char *path, const char *script, const char *log)
{
    /* A user's PATH need not have it. */
    static const char command[] = "PATH=$PATH:/usr/sbin:/sbin exec sfdisk --quiet --no-reread "
                                  "--no-tell-kernel -- \"$1\" <\"$2\"";
    const char *const argv[] = {"sh", "-c", command, "sh", path, script, NULL};

    return process_run(argv, NULL, log);
}

/* Makes the file beside its place, and puts it there when it is whole, unless another run was
 * faster. */
static enum exit_code make_at(struct machine *machine, unsigned disk, const char *beside,
                              const char *folder)
{
    struct machine_disk *self = &machine->disks[disk];
    char *script = text("%s/sfdisk.script", folder), *log = text("%s/sfdisk.log", folder);
    enum exit_code code = LINTEL_OK;
    int result = 0;

    if (ftruncate(self->file, (off_t)self->size) != 0 || !write_script(machine, disk, script) ||
        !disk_file_lock(self->file, false)) {
        code = fail(LINTEL_MACHINE, "%s: %s", self->path, strerror(errno));
    } else if ((result = partition(beside, script, log)) == 127) {
        code = fail(LINTEL_MACHINE,
                    "sfdisk is missing, which makes the disk %s; install the "
                    "package fdisk",
                    self->path);
    } else if (result != 0) {
        code = fail(LINTEL_MACHINE,
                    "%s: sfdisk ended with code %d (is there room?); it said:", self->path, result);
        print_tail(log, 10);
    } else if ((code = write_contents(machine, disk, beside, folder)) != LINTEL_OK) {
        ; /* it has said why */
    } else if (fsync(self->file) != 0 || link(beside, self->path) != 0) {
        code = fail(LINTEL_MACHINE, "%s: %s", self->path,
                    errno == EEXIST ? "another run has just made it" : strerror(errno));
    }
    free(log);
    free(script);
    return code;
}

static enum exit_code make(struct machine *machine, unsigned disk, const char *folder)
{
    struct machine_disk *self = &machine->disks[disk];
    char *beside = text("%s.XXXXXX", self->path);
    mode_t mask = umask(0);
    enum exit_code code;

    umask(mask);
    progress("making the disk %s", self->path);
    unfinished_begin(beside);
    self->file = mkostemp(beside, O_CLOEXEC);
    if (self->file < 0) {
        code = fail(LINTEL_MACHINE, "%s cannot be made: %s", self->path, strerror(errno));
    } else {
        fchmod(self->file, 0666 & ~mask);
        code = make_at(machine, disk, beside, folder);
        unlink(beside);
    }
    unfinished_end();
    progress_end();
    free(beside);
    return code;
}

enum exit_code disk_files_make(struct machine *machine, const char *folder)
{
    enum exit_code code = LINTEL_OK;

    for (unsigned i = 0; code == LINTEL_OK && i < machine->disk_count; i++)
        if (machine->disks[i].path && machine->disks[i].file < 0)
            code = make(machine, i, folder);
    return code;
}
