/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool/cores.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/bits.h"
#include "tool/process.h"
#include "tool/report.h"

static void begin(struct cores *cores, unsigned vm)
{
    const char *name = cores->outcome->vms[vm].name;

    cores->begun |= (uint32_t)BIT(vm);
    cores->vm = vm;
    cores->path = text("%s/%s.core", cores->folder, name);
    cores->said = text("%s/%s.core.log", cores->work_folder, name);
    const char *const argv[] = {"/proc/self/exe", "core", cores->relay->path, name, "-o",
                                cores->path,      NULL};
    note("vm %s: its core is written to %s", name, cores->path);
    cores->child = process_start(argv, NULL, cores->said);
}

static void finish(struct cores *cores, int code)
{
    const char *name = cores->outcome->vms[cores->vm].name;

    cores->child = 0;
    if (code == LINTEL_OK) {
        note("vm %s: its core is there: gdb %s %s", name,
             cores->machine->files[cores->machine->plan.vms[cores->vm].kernel], cores->path);
    } else {
        note("vm %s: there is no core of it:", name);
        print_tail(cores->said, 1);
    }
    free(cores->path);
    free(cores->said);
}

/* The next VM of which a core is to be made; -1: none yet, -2: none any more. */
static int next(const struct cores *cores)
{
    int found = -2;

    for (int vm = 0; vm < (int)cores->machine->plan.vm_count; vm++) {
        if (!cores->machine->cores[vm] || cores->begun & BIT(vm))
            continue;
        if (cores->outcome->vms[vm].end == VM_FAULT)
            return vm;
        if (cores->outcome->vms[vm].end == VM_RUNNING)
            found = -1;
    }
    return found;
}

bool cores_wanted(const struct machine *machine)
{
    bool wanted = false;

    for (unsigned vm = 0; vm < machine->plan.vm_count; vm++)
        wanted |= machine->cores[vm];
    return wanted;
}

int cores_work(struct cores *cores)
{
    int status;

    if (cores->child > 0 && waitpid(cores->child, &status, WNOHANG) != 0)
        finish(cores, process_code(status));
    if (cores->child > 0)
        return CORES_LOOK_MS;
    int vm = next(cores);
    if (vm >= 0) {
        begin(cores, (unsigned)vm);
        return CORES_LOOK_MS;
    }
    if (vm == -2 && !cores->released)
        relay_release(cores->relay);
    cores->released |= vm == -2;
    return -1;
}

void cores_end(struct cores *cores)
{
    int status;

    if (cores->child <= 0)
        return;
    kill(-cores->child, SIGTERM);
    waitpid(cores->child, &status, 0);
    finish(cores, process_code(status));
}
