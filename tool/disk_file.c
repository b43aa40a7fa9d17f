/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of emulated disks: see disk_file.h. */
#include "tool/disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "drivers/gpt.h"
#include "tool/contents.h"
#include "tool/size.h"

#define SECTOR 512
/* What is before the first partition, and behind the last: the two tables, in whole MiB. */
#define TABLES (2 * MIB)

#define MAKE_ANEW "remove the file, and it is made anew, or make it right with sfdisk(8)"

bool disk_is_only_read(const struct machine *machine, unsigned disk)
{
    for (unsigned i = 0; i < machine->partition_count; i++)
        if (machine->partitions[i].disk == disk && !machine->partitions[i].read_only)
            return false;
    return true;
}

bool disk_file_share(struct machine *machine, unsigned disk, uint64_t *least)
{
    uint64_t used = TABLES, parts = 0;

    for (unsigned i = 0; i < machine->partition_count; i++) {
        if (machine->partitions[i].disk == disk) {
            used += machine->partitions[i].size;
            parts += machine->partitions[i].size == 0;
        }
    }
    *least = used + parts * MIB;
    if (machine->disks[disk].size < *least)
        return false;
    for (unsigned i = 0; i < machine->partition_count; i++) {
        if (machine->partitions[i].disk == disk && !machine->partitions[i].size) {
            uint64_t share = (machine->disks[disk].size - used) / parts;
            machine->partitions[i].size = share - share % MIB;
        }
    }
    return true;
}

/* The folder of a file; the caller frees it. */
static char *folder_of(const char *path)
{
    char *copy = text("%s", path), *folder = text("%s", dirname(copy));

    free(copy);
    return folder;
}

/* Whether the file system of this path has so many bytes of room. A guest whose write finds none
 * would lose it. */
static bool has_room(const char *path, uint64_t bytes)
{
    struct statvfs info;

    return statvfs(path, &info) != 0 || info.f_bavail >= bytes / info.f_frsize;
}

bool disk_file_lock(int file, bool only_read)
{
    struct flock whole = {.l_type = only_read ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(file, F_OFD_SETLK, &whole) == 0;
}

/* Whether what the disk's partitions are to hold can be put there. */
static void look_at_contents(struct loading *loading, unsigned disk)
{
    for (unsigned i = 0; i < loading->machine->partition_count; i++) {
        const struct machine_partition *partition = &loading->machine->partitions[i];
        char *where = text("vms[%u].disk.contents", partition->vm);

        if (partition->disk == disk && partition->contents)
            contents_look(loading, where, partition->contents, partition->size);
        free(where);
    }
}

/* A file that is not there: whether it can be made. */
static void look_at_missing(struct loading *loading, unsigned i)
{
    struct machine_disk *disk = &loading->machine->disks[i];
    char *folder = folder_of(disk->path), size[24];
    uint64_t least;

    if (!disk->size) {
        description_error(
            &loading->file, disk->place,
            "%s is not there; add 'size', such as size: 64M, and 'lintel run' makes it",
            disk->path);
    } else if (!disk_file_share(loading->machine, i, &least)) {
        description_error(&loading->file, disk->place,
                          "%s is too small for its partitions and their table, which need %s; "
                          "raise 'size'",
                          disk->path, size_text(least, size));
    } else if (access(folder, W_OK) != 0) {
        description_error(&loading->file, disk->place,
                          "%s cannot be made: %s: %s; name a file in a folder that can be written",
                          disk->path, folder, strerror(errno));
    } else if (!has_room(folder, disk->size)) {
        description_error(&loading->file, disk->place,
                          "%s cannot be made: the file system of %s has no room for %s; make room, "
                          "or lower 'size'",
                          disk->path, folder, size_text(disk->size, size));
    } else {
        look_at_contents(loading, i);
    }
    free(folder);
}

/* Whether a disk's file, which is open, can be used as it is. False after a message. */
static bool look_at_file(struct loading *loading, const struct machine_disk *disk, bool only_read,
                         uint64_t *size)
{
    struct stat info;
    char has[24], wanted[24];
    char *bochs_lock = text("%s.lock", disk->path);
    bool bochs_has_it = access(bochs_lock, F_OK) == 0;
    const char *place = disk->place;
    unsigned errors = loading->file.errors;

    free(bochs_lock);
    if (fstat(disk->file, &info) != 0 || !S_ISREG(info.st_mode)) {
        description_error(&loading->file, place, "%s: Not a regular file; name the image of a disk",
                          disk->path);
    } else if (!disk_file_lock(disk->file, only_read)) {
        description_error(&loading->file, place,
                          "%s is in use by another run; end that, or give this one another file",
                          disk->path);
    } else if (bochs_has_it) {
        description_error(&loading->file, place,
                          "%s is in use by a Bochs, or was when that was killed; if none runs, "
                          "remove %s.lock",
                          disk->path, disk->path);
    } else if (disk->size && (uint64_t)info.st_size != disk->size) {
        description_error(&loading->file, place, "%s has %s, not %s; correct 'size', or " MAKE_ANEW,
                          disk->path, size_text((uint64_t)info.st_size, has),
                          size_text(disk->size, wanted));
    } else if (info.st_size < SECTOR || info.st_size % SECTOR) {
        description_error(&loading->file, place,
                          "%s has %s bytes, no whole number of sectors of 512; " MAKE_ANEW,
                          disk->path, size_text((uint64_t)info.st_size, has));
    } else if (!only_read && info.st_size / SECTOR > info.st_blocks &&
               !has_room(disk->path, (uint64_t)(info.st_size - info.st_blocks * SECTOR))) {
        description_error(&loading->file, place,
                          "the file system of %s has no room for all that can be written to it; "
                          "make room",
                          disk->path);
    }
    *size = (uint64_t)info.st_size;
    return loading->file.errors == errors;
}

/* The file that read_sector reads. */
static int table_file;

static const uint8_t *read_sector(uint64_t sector)
{
    static uint8_t bytes[SECTOR];

    return pread(table_file, bytes, sizeof(bytes), (off_t)(sector * SECTOR)) == sizeof(bytes)
               ? bytes
               : NULL;
}

/* Whether the file has the partition that a VM wants. */
static void look_for(struct loading *loading, const struct machine_partition *wanted,
                     const struct gpt *table)
{
    const char *path = loading->machine->disks[wanted->disk].path, *error;
    const struct gpt_partition *found = gpt_find(table, wanted->label, &error);
    char *where = text("vms[%u].disk.partition", wanted->vm), has[24], says[24];

    if (!found) {
        description_error(&loading->file, where, "'%s' in %s: %s; %s", wanted->label, path, error,
                          "write that of one that is there, or add it with sfdisk(8)");
    } else if (wanted->size && wanted->size != found->sectors * SECTOR) {
        description_error(&loading->file, where, "'%s' in %s has %s, not %s; correct 'size'",
                          wanted->label, path, size_text(found->sectors * SECTOR, has),
                          size_text(wanted->size, says));
    }
    free(where);
}

/* The partition table, by the code of the driver that will read it. */
static void look_at_table(struct loading *loading, unsigned i, uint64_t size)
{
    static struct gpt table;
    const struct machine_disk *disk = &loading->machine->disks[i];

    table_file = disk->file;
    const char *wrong = gpt_load(&table, size / SECTOR, read_sector);
    if (wrong) {
        description_error(&loading->file, disk->place,
                          "%s has no partition table (GPT) that can be used: %s; " MAKE_ANEW,
                          disk->path, wrong);
        return;
    }
    if (table.damage && !disk_is_only_read(loading->machine, i)) {
        description_error(
            &loading->file, disk->place,
            "%s has a damaged partition table (%s) and a good copy at its end, and is "
            "only read then; mend it with gdisk(8), or " MAKE_ANEW,
            disk->path, table.damage);
    } else if (table.damage) {
        note("%s: its partition table is damaged (%s), and the copy at its end is used", disk->path,
             table.damage);
    }
    for (unsigned p = 0; p < loading->machine->partition_count; p++)
        if (loading->machine->partitions[p].disk == i)
            look_for(loading, &loading->machine->partitions[p], &table);
}

static void look(struct loading *loading, unsigned i)
{
    struct machine_disk *disk = &loading->machine->disks[i];
    bool only_read = disk_is_only_read(loading->machine, i);
    uint64_t size;

    for (unsigned other = 0; other < i; other++) {
        const char *path = loading->machine->disks[other].path;
        if (path && strcmp(path, disk->path) == 0) {
            description_error(&loading->file, disk->place,
                              "%s is the file of '%s' already; give each disk its own", path,
                              loading->machine->disks[other].name);
            return;
        }
    }
    disk->file = open(disk->path, (only_read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (disk->file >= 0) {
        if (look_at_file(loading, disk, only_read, &size))
            look_at_table(loading, i, size);
    } else if (errno == ENOENT) {
        look_at_missing(loading, i);
    } else {
        description_error(&loading->file, disk->place, "%s: %s; name the image of a disk",
                          disk->path[0] ? disk->path : "''", strerror(errno));
    }
}

void disk_files_look(struct loading *loading)
{
    for (unsigned i = 0; i < loading->machine->disk_count; i++)
        if (loading->machine->disks[i].path)
            look(loading, i);
}
