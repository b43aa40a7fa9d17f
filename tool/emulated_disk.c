/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks in Bochs and QEMU: see emulated_disk.h. */
#include "tool/emulated_disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/disk_file.h"
#include "tool/disks.h"
#include "tool/report.h"

enum exit_code emulated_disks_check(const struct machine *machine, enum runner runner)
{
    for (unsigned i = 0; i < machine->disk_count; i++) {
        const struct machine_disk *disk = &machine->disks[i];
        if (runner == RUNNER_BOCHS && disk->driver != DISK_ATA) {
            return fail(LINTEL_DESCRIPTION,
                        "disk %s: Bochs has no disk for the driver %s; use ata, or --on qemu-kvm",
                        disk->name, disk_driver_name(disk->driver));
        }
        if (!disk->path) {
            return fail(LINTEL_DESCRIPTION,
                        "disk %s: an emulated machine needs a file for it; add 'file' and 'size' "
                        "to host.disks",
                        disk->name);
        }
    }
    return LINTEL_OK;
}

/* Bochs and QEMU give some characters of a path a meaning, and Bochs puts a lock beside an image,
 * which it leaves when it is killed. */
bool emulated_disks_link(const struct machine *machine, const char *work_folder)
{
    bool good = true;

    for (unsigned i = 0; i < machine->disk_count; i++) {
        char *name = text("%s/disk-%u", work_folder, i);
        char *path = realpath(machine->disks[i].path, NULL);
        unlink(name); /* of an earlier run, in a folder that was kept */
        good &= path && symlink(path, name) == 0;
        good &= fcntl(machine->disks[i].file, F_SETFD, 0) == 0;
        free(path);
        free(name);
    }
    return good;
}

uint64_t emulated_disks_largest(const struct machine *machine)
{
    uint64_t largest = 0;
    struct stat info;

    for (unsigned i = 0; i < machine->disk_count; i++)
        if (fstat(machine->disks[i].file, &info) == 0 && (uint64_t)info.st_size > largest)
            largest = (uint64_t)info.st_size;
    return largest;
}

bool emulated_disks_take_ata(const struct machine *machine)
{
    for (unsigned i = 0; i < machine->disk_count; i++)
        if (machine->disks[i].driver == DISK_ATA)
            return true;
    return false;
}

void emulated_disks_bochs(const struct machine *machine, FILE *config)
{
    for (unsigned i = 0; i < machine->disk_count; i++) {
        fprintf(config, "ata0-master: type=disk, path=disk-%u, mode=%s\n", i,
                disk_is_only_read(machine, i) ? "volatile" : "flat");
    }
}

/* The word for the disk's device, whose controller is there. */
static char *qemu_device(enum disk_driver driver, unsigned number)
{
    switch (driver) {
    case DISK_ATA:
        return text("ide-hd,drive=disk-%u,bus=ide.0,unit=0", number);
    case DISK_AHCI:
        return text("ide-hd,drive=disk-%u,bus=ahci-%u.0", number, number);
    default:
        return text("nvme,drive=disk-%u,serial=disk-%u", number, number);
    }
}

size_t emulated_disks_qemu(const struct machine *machine,
                           const char *words[static EMULATED_DISK_WORDS])
{
    size_t count = 0;

    for (unsigned i = 0; i < machine->disk_count; i++) {
        const struct machine_disk *disk = &machine->disks[i];
        /* The lock on the file is the tool's. */
        words[count++] = "-drive";
        words[count++] = text("if=none,id=disk-%u,format=raw,file.locking=off,file=disk-%u%s", i, i,
                              disk_is_only_read(machine, i) ? ",snapshot=on" : "");
        if (disk->driver == DISK_AHCI) {
            words[count++] = "-device";
            words[count++] = text("ich9-ahci,id=ahci-%u", i);
        }
        words[count++] = "-device";
        words[count++] = qemu_device(disk->driver, i);
    }
    return count;
}
