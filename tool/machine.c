/* SPDX-License-Identifier: BSD-2-Clause */
/* From the VM description to the plan, with all checks that can be made before
 * boot: see machine.h. */
#include "tool/machine.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/console_process.h"
#include "tool/control_process.h"
#include "tool/debian.h"
#include "tool/disk_file.h"
#include "tool/disks.h"
#include "tool/ends.h"
#include "tool/forwards.h"
#include "tool/homes.h"
#include "tool/host.h"
#include "tool/initrd_builtin.h"
#include "tool/initrd_file.h"
#include "tool/name.h"
#include "tool/named_file.h"
#include "tool/networks.h"
#include "tool/process.h"
#include "tool/promise.h"
#include "tool/size.h"
#include "tool/trial.h"
#include "tool/yes_no.h"

#define VM_MEMORY_MIN      (8 * MIB)
#define MACHINE_MEMORY_MIN (256 * MIB)
/* For the hypervisor, its tables, the monitors and the firmware: UEFI's is the larger. */
#define MACHINE_OVERHEAD (128 * MIB)
#define INITRD_BUILTIN   "builtin"

/* "vms[2].memory", in a buffer that the next call overwrites. */
static const char *at(unsigned vm, const char *key)
{
    static char path[64];

    snprintf(path, sizeof(path), "vms[%u].%s", vm, key);
    return path;
}

/* Whether a VM's guest must load modules of its kernel to find its disk, its networks or its
 * console: they are
 * put into the builtin initrd, and only there. */
static bool wants_modules(const struct vm_description *vm)
{
    bool wants = vm->disk || vm->net || vm->networks_count > 0 ||
                 (vm->console && strcmp(vm->console, "virtio") == 0);

    return wants && vm->initrd && strcmp(vm->initrd, INITRD_BUILTIN) == 0;
}

/* The path of a kernel out of a Debian package; NULL after a message. */
static char *load_package(struct loading *loading, unsigned i, const char *package)
{
    struct debian_kernel found;
    bool any =
        false; /* the kernel of another VM is not fetched again when this one's modules are */

    for (unsigned vm = 0; vm < loading->file.content->vms_count; vm++)
        any |= wants_modules(&loading->file.content->vms[vm]);
    if (!package[0] || package[strspn(package, "abcdefghijklmnopqrstuvwxyz0123456789+-.")] ||
        package[0] == '-' || package[0] == '.') {
        description_error(
            &loading->file, at(i, "kernel"),
            "'%s' is no name of a Debian package; write for example debian:linux-image-cloud-amd64",
            package);
        return NULL;
    }
    enum exit_code code = debian_kernel(package, any, &found);
    if (code == LINTEL_OK) {
        loading->modules[i] = found.modules;
        return found.kernel;
    }
    description_error(&loading->file, at(i, "kernel"), "no kernel from '%s'", package);
    loading->code = code;
    return NULL;
}

/* The kernel's file, of which its content stays. */
static bool load_kernel(struct loading *loading, unsigned i, struct whole_file *content)
{
    const char *name = loading->file.content->vms[i].kernel;
    char *path;

    if (!name)
        return false;
    if (strncmp(name, DEBIAN_PREFIX, strlen(DEBIAN_PREFIX)) == 0)
        path = load_package(loading, i, name + strlen(DEBIAN_PREFIX));
    else
        path = beside_description(loading, name);
    bool good =
        path && read_named(loading, at(i, "kernel"), path, "name an existing kernel", content);
    if (good)
        loading->machine->plan.vms[i].kernel = add_file(loading->machine, path, content->size);
    else
        free(path);
    return good;
}

/* The initrd's file, of which its content stays where it is good. */
static void load_initrd(struct loading *loading, unsigned i, struct whole_file *content)
{
    const struct vm_description *from = &loading->file.content->vms[i];
    const char *name = from->initrd, *wrong;
    char *path;

    loading->machine->plan.vms[i].initrd = PLAN_NO_FILE;
    if (!name)
        return;
    if (strcmp(name, INITRD_BUILTIN) == 0)
        path = initrd_builtin(loading->machine, wants_modules(from) ? loading->modules[i] : NULL);
    else
        path = beside_description(loading, name);
    if (!path) {
        loading->code = LINTEL_MACHINE;
        description_error(&loading->file, at(i, "initrd"), "the builtin initrd is not built");
        return;
    }
    if (!read_named(loading, at(i, "initrd"), path, "name an existing initrd, or 'builtin'",
                    content)) {
        free(path);
    } else if ((wrong = initrd_inspect(content->data, content->size))) {
        description_error(&loading->file, at(i, "initrd"), "%s %s", path, wrong);
        whole_file_free(content);
        free(path);
    } else {
        loading->machine->plan.vms[i].initrd = add_file(loading->machine, path, content->size);
    }
}

/* Has the monitor's loader try what the VM starts with, until all that it refuses is said. Returns
 * the least memory that the VM needs, in bytes; 0: it cannot start in any. */
static uint64_t try_guest(struct loading *loading, unsigned i, const struct whole_file *kernel,
                          const struct whole_file *initrd)
{
    const char *cmdline = loading->file.content->vms[i].cmdline;
    struct load load = {
        .kernel = {kernel->data, kernel->size},
        .initrd = {initrd->data, initrd->size},
        .cmdline = cmdline ? cmdline : "",
    };

    while (!trial_load(&load, PLAN_HOLE_START)) {
        bool in_file = load.wrong == LOAD_PART_KERNEL;
        const char *path = loading->machine->files[loading->machine->plan.vms[i].kernel];
        description_error(&loading->file, at(i, load_part_name(load.wrong)), "%s%s%s",
                          in_file ? path : "", in_file ? ": " : "", load.error);
        if (load.wrong == LOAD_PART_CMDLINE)
            load.cmdline = "";
        else if (load.wrong == LOAD_PART_INITRD)
            load.initrd = (struct load_file){0};
        else
            return 0;
    }
    return trial_least_memory(&load);
}

static void load_name(struct loading *loading, unsigned i)
{
    const char *name = loading->file.content->vms[i].name;
    struct plan *plan = &loading->machine->plan;

    if (!name)
        return;
    if (!name_check(&loading->file, at(i, "name"), name, PLAN_NAME_SIZE - 1))
        return;
    for (unsigned other = 0; other < i; other++) {
        if (strcmp(plan->vms[other].name, name) == 0) {
            description_error(&loading->file, at(i, "name"),
                              "vms[%u] is named '%s' already; choose another name", other, name);
            return;
        }
    }
    strcpy(plan->vms[i].name, name);
}

static void load_cmdline(struct loading *loading, unsigned i)
{
    const char *cmdline = loading->file.content->vms[i].cmdline;

    if (!cmdline)
        return;
    for (const char *c = cmdline; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            description_error(
                &loading->file, at(i, "cmdline"),
                "it has a control character (%d) at position %td; keep it on one line", *c,
                c - cmdline + 1);
            return;
        }
    }
    snprintf(loading->machine->plan.vms[i].cmdline, PLAN_CMDLINE_SIZE, "%s", cmdline);
}

/* least: what the kernel and the initrd need, or 0. */
static void load_memory(struct loading *loading, unsigned i, uint64_t least)
{
    const char *word = loading->file.content->vms[i].memory;
    char unit[24], need_text[24];
    uint64_t bytes, need = least < VM_MEMORY_MIN ? VM_MEMORY_MIN : least;

    if (!word)
        return;
    if (!size_parse(word, &bytes)) {
        description_error(&loading->file, at(i, "memory"),
                          "'%s' is no size; write for example 256M or 1G", word);
        return;
    }
    if (bytes % PLAN_MEMORY_UNIT) {
        uint64_t next = (bytes / PLAN_MEMORY_UNIT + 1) * PLAN_MEMORY_UNIT;
        description_error(&loading->file, at(i, "memory"), "%s is no multiple of %s; use %s", word,
                          size_text(PLAN_MEMORY_UNIT, unit), size_text(next, need_text));
        return;
    }
    if (bytes < need) {
        description_error(&loading->file, at(i, "memory"),
                          "%s is too small for this kernel and initrd; use at least %s", word,
                          size_text(need, need_text));
        return;
    }
    loading->machine->plan.vms[i].memory = bytes;
}

/* What a snapshot cannot have, or who would take it. */
static const char *no_snapshot(const struct vm_description *from, const struct plan_vm *vm)
{
    if (vm->vcpus > 1)
        return "it is of one vCPU; remove this, or 'vcpus'";
    if (vm->memory > PLAN_HOLE_START)
        return "it is of 3072 MiB at most; remove this, or lower 'memory'";
    if (from->disk || from->net || from->networks_count > 0)
        return "a disk or a network does not go back with it; remove this, or those";
    if (from->control && strcmp(from->control, "no") == 0)
        return "nobody may take one, by 'control: no'; remove one of them";
    return NULL;
}

static void load_snapshot(struct loading *loading, unsigned i)
{
    const struct vm_description *from = &loading->file.content->vms[i];
    struct plan_vm *vm = &loading->machine->plan.vms[i];

    vm->snapshot = yes_no(loading, at(i, "snapshot"), from->snapshot, false);
    const char *error = vm->snapshot ? no_snapshot(from, vm) : NULL;
    if (error)
        description_error(&loading->file, at(i, "snapshot"), "%s", error);
}

/* Of memory, with that for its snapshot, and what ring 0 needs besides for its pages of 4 KiB. */
static uint64_t takes(const struct plan_vm *vm)
{
    return vm->snapshot ? 2 * vm->memory + vm->memory / 128 + PLAN_SNAPSHOT_STATE : vm->memory;
}

static void load_vm(struct loading *loading, unsigned i)
{
    const struct vm_description *from = &loading->file.content->vms[i];
    struct plan_vm *vm = &loading->machine->plan.vms[i];
    struct whole_file kernel = {0}, initrd = {0};
    char place[32];

    load_name(loading, i);
    bool has_kernel = load_kernel(loading, i, &kernel);
    load_initrd(loading, i, &initrd);
    load_cmdline(loading, i);
    load_memory(loading, i, has_kernel ? try_guest(loading, i, &kernel, &initrd) : 0);
    whole_file_free(&kernel);
    whole_file_free(&initrd);
    load_snapshot(loading, i);
    ends_load(&loading->file, i, loading->machine);
    snprintf(place, sizeof(place), "vms[%u]", i);
    if (!loading->machine->alone[i])
        promise_load(loading, place, from->budget, from->period, vm->cpus, vm->vcpus, &vm->budget,
                     &vm->period);
}

/* Whether all VMs and files fit the machine: the one described, or the one that the
 * tool runs on. */
static void check_total(struct loading *loading)
{
    struct machine *machine = loading->machine;
    const struct plan *plan = &machine->plan;
    bool described = machine->memory != 0;
    uint64_t here = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t have = described ? machine->memory : here, need = MACHINE_OVERHEAD;

    for (uint32_t i = 0; i < plan->file_count; i++)
        need += (plan->files[i].size + MIB - 1) & ~(MIB - 1);
    for (uint32_t i = 0; i < plan->process_count; i++)
        need += (plan->processes[i].dma + MIB - 1) & ~(MIB - 1);
    for (unsigned i = 0; i < plan->vm_count; i++) {
        need += takes(&plan->vms[i]);
        if (need > have || need < plan->vms[i].memory) {
            description_error(
                &loading->file, at(i, "memory"),
                "with this VM, Lintel needs %" PRIu64 " MiB, and %s has %" PRIu64 " MiB; %s",
                need / MIB, described ? "the machine (host.memory)" : "this machine", have / MIB,
                described ? "lower it, or raise host.memory"
                          : "lower it, or set host.memory to what the machine to boot has");
            return;
        }
    }
    if (!described) {
        machine->memory = need < MACHINE_MEMORY_MIN ? MACHINE_MEMORY_MIN
                                                    : (need + 64 * MIB - 1) & ~(64 * MIB - 1);
    }
}

enum exit_code machine_load(const char *path, unsigned use, struct machine *machine)
{
    struct loading loading = {.machine = machine, .code = LINTEL_DESCRIPTION};
    enum exit_code code = description_open(&loading.file, path);

    if (code != LINTEL_OK)
        return code;
    *machine = (struct machine){
        .plan = {.magic = PLAN_MAGIC, .version = PLAN_VERSION, .size = sizeof(struct plan)},
    };
    unsigned count = loading.file.content->vms_count;
    if ((count < 1 && loading.file.errors == 0) || count > PLAN_MAX_VMS) {
        description_error(&loading.file, "vms", "there are %u VMs; describe 1 to %d", count,
                          PLAN_MAX_VMS);
        count = 0;
    }
    machine->plan.vm_count = count;
    host_load(&loading);
    homes_load(&loading);
    for (unsigned i = 0; i < count; i++)
        load_vm(&loading, i);
    console_process_load(&loading);
    disks_load(&loading);
    networks_load(&loading);
    control_process_load(&loading, use);
    homes_count(machine);
    if (use & MACHINE_EMULATED) {
        disk_files_look(&loading);
        forwards_try(&loading);
    }
    if (loading.file.errors == 0)
        check_total(&loading);
    for (unsigned i = 0; i < PLAN_MAX_VMS; i++)
        free(loading.modules[i]);
    unsigned errors = loading.file.errors;
    description_close(&loading.file);
    if (errors == 0)
        return LINTEL_OK;
    machine_free(machine);
    return loading.code;
}

void machine_free(struct machine *machine)
{
    for (uint32_t i = 0; i < machine->plan.file_count; i++)
        free(machine->files[i]);
    for (unsigned i = 0; i < machine->disk_count; i++) {
        if (machine->disks[i].file >= 0)
            close(machine->disks[i].file);
        free(machine->disks[i].path);
        free(machine->disks[i].place);
    }
    for (unsigned i = 0; i < machine->partition_count; i++)
        free(machine->partitions[i].contents);
    for (unsigned i = 0; i < machine->nic_count; i++)
        free(machine->nics[i].place);
    for (unsigned i = 0; i < machine->forward_count; i++)
        free(machine->forwards[i].place);
    if (machine->folder)
        work_folder_remove(machine->folder);
    free(machine->cpu);
    free(machine->hide);
}
