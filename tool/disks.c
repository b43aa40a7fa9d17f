/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks: see disks.h. */
#include "tool/disks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/block.h"
#include "drivers/disk.h"
#include "tool/contents.h"
#include "tool/homes.h"
#include "tool/name.h"
#include "tool/named_file.h"
#include "tool/processes.h"
#include "tool/promise.h"
#include "tool/size.h"
#include "tool/yes_no.h"

#define LABEL_MAX 36 /* characters of a GPT partition's name (UEFI 2.10, 5.3.3) */
#define DISK_DMA  (256 * 1024)

/* What a driver's process gets, but for its name, its image and which device of its class. */
static const struct {
    const char *name;
    enum built_file image;
    struct plan_process process;
} drivers[DISK_DRIVER_COUNT] = {
    /* The first channel of an IDE controller, at its ports of old; its bus master has a BAR. */
    [DISK_ATA] = {"ata",
                  BUILT_ATA,
                  {.grants = PLAN_GRANT_PCI,
                   .pci_class = 0x010180,
                   .port_range_count = 2,
                   .ports = {{0x1f0, 8}, {0x3f6, 1}},
                   .interrupt_count = 1,
                   .interrupts = {14}}},
    [DISK_AHCI] = {"ahci", BUILT_AHCI, {.grants = PLAN_GRANT_PCI, .pci_class = 0x010601}},
    [DISK_NVME] = {"nvme", BUILT_NVME, {.grants = PLAN_GRANT_PCI, .pci_class = 0x010802}},
};

const char *disk_driver_name(enum disk_driver driver)
{
    return drivers[driver].name;
}

/* "host.disks[1].file", in a buffer that the next call overwrites; likewise "vms[1].disk.file". */
static const char *at(const char *list, unsigned i, const char *key)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s[%u]%s", list, i, key);
    return path;
}

#define AT_HOST(i, key) at("host.disks", i, "." key)
#define AT_VM(i, key)   at("vms", i, ".disk" key)

/* Reads a size in whole MiB, 0 where there is none. */
static uint64_t read_size(struct loading *loading, const char *where, const char *word)
{
    uint64_t bytes = 0;

    if (word && (!size_parse(word, &bytes) || bytes % MIB)) {
        description_error(&loading->file, where,
                          "'%s' is no size in MiB; write for example 64M or 4G", word);
        return 0;
    }
    return bytes;
}

static bool read_driver(struct loading *loading, unsigned i, enum disk_driver *driver)
{
    const char *name = loading->file.content->host.disks[i].driver;

    for (int d = 0; name && d < DISK_DRIVER_COUNT; d++) {
        if (strcmp(name, drivers[d].name) == 0) {
            *driver = (enum disk_driver)d;
            return true;
        }
    }
    if (name) {
        description_error(&loading->file, AT_HOST(i, "driver"),
                          "'%s' is no driver; write ata, ahci or nvme", name);
    }
    return false;
}

static void load_host_disk(struct loading *loading, unsigned i)
{
    const struct disk_description *from = &loading->file.content->host.disks[i];
    struct machine *machine = loading->machine;
    struct machine_disk disk = {.file = -1,
                                .size = read_size(loading, AT_HOST(i, "size"), from->size)};
    bool named = from->name &&
                 name_check(&loading->file, AT_HOST(i, "name"), from->name, PLAN_NAME_SIZE - 1);

    if (!read_driver(loading, i, &disk.driver) || !named)
        return;
    struct plan_process process = drivers[disk.driver].process;
    if (!process_index_load(loading, AT_HOST(i, "index"), from->index, &process))
        return;
    if (disk.driver == DISK_ATA && process.pci_index) {
        description_error(&loading->file, AT_HOST(i, "driver"),
                          "a machine has one disk by ata; use ahci or nvme for another");
        return;
    }
    process.cpu = home_load(loading, AT_HOST(i, "cpu"), from->cpu);
    promise_load(loading, at("host.disks", i, ""), from->budget, from->period, &process.cpu, 1,
                 &process.budget, &process.period);
    process.dma = DISK_DMA;
    process.file = PLAN_NO_FILE;
    snprintf(process.name, sizeof(process.name), "%s", from->name);
    int number = process_add(loading, AT_HOST(i, "name"), drivers[disk.driver].image, &process);
    if (number < 0)
        return;
    disk.process = (uint32_t)number;
    disk.name = machine->plan.processes[number].name;
    disk.path = from->file ? beside_description(loading, from->file) : NULL;
    disk.place = text("host.disks[%u]%s", i, from->file ? ".file" : "");
    machine->disks[machine->disk_count++] = disk;
}

static bool read_only(struct loading *loading, unsigned vm)
{
    return yes_no(loading, AT_VM(vm, ".read-only"), loading->file.content->vms[vm].disk->read_only,
                  false);
}

/* The number of the host's disk that a VM names; -1 after a message. */
static int find_disk(struct loading *loading, unsigned vm)
{
    const char *name = loading->file.content->vms[vm].disk->on;
    const struct host_description *host = &loading->file.content->host;

    for (unsigned d = 0; d < loading->machine->disk_count; d++)
        if (strcmp(loading->machine->disks[d].name, name) == 0)
            return (int)d;
    for (unsigned d = 0; d < host->disks_count; d++)
        if (host->disks[d].name && strcmp(host->disks[d].name, name) == 0)
            return -1; /* which is wrong itself, and that is said */
    description_error(&loading->file, AT_VM(vm, ".on"),
                      "no entry of host.disks is named '%s'; name one that is there, or add it",
                      name);
    return -1;
}

/* The label of a VM's partition, without its prefix: by default the VM's name. NULL after a
 * message. */
static const char *partition_label(struct loading *loading, unsigned vm)
{
    const char *word = loading->file.content->vms[vm].disk->partition;
    const char *label = word ? word : loading->machine->plan.vms[vm].name;
    size_t prefix = strlen(DISK_LABEL_PREFIX);

    if (!word && !label[0])
        return NULL; /* the VM's name is wrong, which has been said */
    if (!name_check(&loading->file, word ? AT_VM(vm, ".partition") : AT_VM(vm, ""), label,
                    LABEL_MAX - prefix))
        return NULL;
    if (strncmp(label, DISK_LABEL_PREFIX, prefix) == 0) {
        description_error(&loading->file, AT_VM(vm, ".partition"),
                          "'%s': a partition's label begins with 'lintel-' anyway; write '%s'",
                          label, label + prefix);
        return NULL;
    }
    return label;
}

static void add_channel(struct machine *machine, unsigned vm, uint32_t process, bool only_read,
                        const char *label)
{
    struct plan_channel *channel = &machine->plan.channels[machine->plan.channel_count++];

    *channel = (struct plan_channel){
        .kind = PLAN_CHANNEL_BLOCK,
        .size = BLOCK_CHANNEL_SIZE,
        .client = vm,
        .server = PLAN_PROCESS | process,
        .read_only = only_read,
    };
    snprintf(channel->label, sizeof(channel->label), "%s%s", label ? DISK_LABEL_PREFIX : "",
             label ? label : "");
}

/* The partition that an earlier VM has as well; NULL: none has. */
static struct machine_partition *find_partition(struct machine *machine, unsigned disk,
                                                const char *label)
{
    for (unsigned i = 0; i < machine->partition_count; i++) {
        struct machine_partition *partition = &machine->partitions[i];
        if (partition->disk == disk && strcmp(partition->label, label) == 0)
            return partition;
    }
    return NULL;
}

/* A VM's use of a partition, as its channel says. */
static void use_partition(struct loading *loading, unsigned vm, unsigned disk, uint64_t size)
{
    struct machine *machine = loading->machine;
    const struct plan_channel *channel = &machine->plan.channels[machine->plan.channel_count - 1];
    struct machine_partition *shared = find_partition(machine, disk, channel->label);

    if (!shared) {
        machine->partitions[machine->partition_count++] = (struct machine_partition){
            .disk = disk,
            .label = channel->label,
            .size = size,
            .contents = contents_load(loading, vm),
            .vm = vm,
            .read_only = channel->read_only,
        };
    } else if (!shared->read_only || !channel->read_only) {
        description_error(&loading->file, AT_VM(vm, ""),
                          "vms[%u] has the partition '%s' of '%s' already, and %s writes to it; "
                          "give each VM its own, or make it read-only for both",
                          shared->vm, channel->label, machine->disks[disk].name,
                          shared->read_only ? "this one" : "that one");
    } else if (loading->file.content->vms[vm].disk->contents) {
        description_error(&loading->file, AT_VM(vm, ".contents"),
                          "vms[%u] has the same partition; write its contents there", shared->vm);
    } else if (size && shared->size && size != shared->size) {
        description_error(&loading->file, AT_VM(vm, ".size"),
                          "vms[%u] gives the same partition another size; write it once",
                          shared->vm);
    } else if (size) {
        shared->size = size;
    }
}

static void load_partition(struct loading *loading, unsigned vm)
{
    const struct vm_disk_description *from = loading->file.content->vms[vm].disk;
    uint64_t size = read_size(loading, AT_VM(vm, ".size"), from->size);
    bool only_read = read_only(loading, vm);
    int disk = find_disk(loading, vm);
    const char *label = partition_label(loading, vm);

    if (disk < 0 || !label)
        return;
    add_channel(loading->machine, vm, loading->machine->disks[disk].process, only_read, label);
    use_partition(loading, vm, (unsigned)disk, size);
}

/* What the driver of a RAM disk needs for what is written to one of so many bytes: a copy of each
 * page, and a number of 32 bits for each (drivers/ram.c). */
static uint64_t copies(uint64_t size)
{
    uint64_t pages = (size + 4095) / 4096, numbers = (pages * 4 + 4095) / 4096;

    return (pages + numbers) * 4096;
}

/* A RAM disk. What is written to it goes to memory that is the driver's DMA area. */
static void load_ram(struct loading *loading, unsigned vm)
{
    const struct vm_disk_description *from = loading->file.content->vms[vm].disk;
    struct machine *machine = loading->machine;
    struct plan_process process = {.dma = DISK_SERVER_DMA, .cpu = loading->common};
    struct whole_file found;
    bool only_read = read_only(loading, vm);

    if (from->partition || from->size || from->contents) {
        description_error(&loading->file,
                          from->partition ? AT_VM(vm, ".partition")
                          : from->size    ? AT_VM(vm, ".size")
                                          : AT_VM(vm, ".contents"),
                          "a RAM disk has no partitions, and the size and contents of its file; "
                          "remove this");
    }
    char *path = beside_description(loading, from->file);
    if (!look_named(loading, AT_VM(vm, ".file"), path, "name the file of a disk", &found)) {
        free(path);
        return;
    }
    size_t size = found.size;
    if (size % BLOCK_SECTOR) {
        description_error(&loading->file, AT_VM(vm, ".file"),
                          "%s has %zu bytes, no whole number of sectors of %u; pad it", path, size,
                          BLOCK_SECTOR);
    }
    process.file = add_file(machine, path, found.size);
    if (!only_read)
        process.dma += copies(size);
    if (process.dma > PLAN_MAX_DMA) {
        description_error(&loading->file, AT_VM(vm, ".file"),
                          "%s is too large for a RAM disk that is written to: %llu MiB, with its "
                          "table, are possible; make it read-only",
                          path, PLAN_MAX_DMA / MIB);
    }
    snprintf(process.name, sizeof(process.name), "%.26s.disk", machine->plan.vms[vm].name);
    int number = process_add(loading, AT_VM(vm, ""), BUILT_RAM, &process);
    if (number >= 0)
        add_channel(machine, vm, (uint32_t)number, only_read, NULL);
}

static void load_vm_disk(struct loading *loading, unsigned vm)
{
    const struct vm_disk_description *from = loading->file.content->vms[vm].disk;

    if (!from)
        return;
    if (from->on && from->file) {
        description_error(&loading->file, AT_VM(vm, ""),
                          "it is both 'on' a disk and a 'file'; keep 'on' for a partition of the "
                          "host's disk, or 'file' for a RAM disk");
    } else if (from->on) {
        load_partition(loading, vm);
    } else if (from->file) {
        load_ram(loading, vm);
    } else {
        description_error(&loading->file, AT_VM(vm, ""),
                          "it is nowhere; add 'on', a disk of host.disks, or 'file', a RAM disk's "
                          "content");
    }
}

void disks_load(struct loading *loading)
{
    for (unsigned i = 0; i < loading->file.content->host.disks_count; i++)
        load_host_disk(loading, i);
    for (unsigned vm = 0; vm < loading->machine->plan.vm_count; vm++)
        load_vm_disk(loading, vm);
}
