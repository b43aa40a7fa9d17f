/* SPDX-License-Identifier: BSD-2-Clause */
/* The control process: see control_process.h. */
#include "tool/control_process.h"

#include <stdio.h>
#include <string.h>

#include "abi/console.h"
#include "abi/process.h"
#include "tool/processes.h"
#include "tool/yes_no.h"

#define NAME "control"

/* The second serial port. */
static const struct plan_process control = {
    .name = NAME,
    .file = PLAN_NO_FILE,
    .port_range_count = 1,
    .ports = {{0x2f8, 8}},
    .interrupt_count = 1,
    .interrupts = {3},
};

enum let { LETS_NOBODY, LETS, WAITS };

static enum let lets(struct loading *loading, unsigned vm)
{
    const char *word = loading->file.content->vms[vm].control;
    char where[32];

    if (word && strcmp(word, "wait") == 0)
        return WAITS;
    snprintf(where, sizeof(where), "vms[%u].control", vm);
    return yes_no(loading, where, word, true) ? LETS : LETS_NOBODY;
}

/* Ring 0 has a VM looked at and stopped on its own CPU alone. */
static void check_homes(struct loading *loading, const struct plan_process *process)
{
    const struct plan *plan = &loading->machine->plan;
    char where[32];

    for (unsigned i = 0; i < plan->vm_count; i++)
        for (uint32_t v = 0; process->controls & 1u << i && v < plan->vms[i].vcpus; v++) {
            if (plan->vms[i].cpus[v] == process->cpu)
                continue;
            snprintf(where, sizeof(where), "vms[%u].cpus", i);
            description_error(&loading->file, where,
                              "it is on CPU %u, and who controls VMs reaches those on CPU %u; give "
                              "it 'control: no', or that CPU",
                              plan->vms[i].cpus[v], process->cpu);
            break;
        }
}

_Static_assert(2 * PLAN_MAX_VMS <= PROCESS_CHANNELS, "the console serves VMs and who watches them");

/* A client of the console for each VM that has a share of the line, and may be controlled. */
static void add_watches(struct plan *plan, uint32_t process)
{
    uint32_t count = plan->channel_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct plan_channel *vm = &plan->channels[i];
        if (vm->kind != PLAN_CHANNEL_CONSOLE || vm->read_only ||
            !(plan->processes[process].controls & 1u << vm->client))
            continue;
        struct plan_channel *watch = &plan->channels[plan->channel_count++];
        *watch = (struct plan_channel){
            .kind = PLAN_CHANNEL_CONSOLE,
            .size = CONSOLE_CHANNEL_SIZE,
            .client = PLAN_PROCESS | process,
            .server = vm->server,
        };
        snprintf(watch->label, sizeof(watch->label), "%u", vm->client);
    }
}

/* Of what nobody may look into there is no core. */
static void check_core(struct loading *loading, unsigned vm)
{
    char where[32];

    snprintf(where, sizeof(where), "vms[%u].on-fault", vm);
    description_error(&loading->file, where,
                      "nobody looks into this VM, by 'control: no': write 'stop', or let it be "
                      "controlled");
}

/* Without the process nobody could have a VM go on that waits. */
void control_process_load(struct loading *loading, unsigned use)
{
    struct plan_process process = control;
    struct machine *machine = loading->machine;
    bool wanted = use & MACHINE_CONTROLLED, cores = false;

    process.cpu = loading->common;
    for (uint32_t vm = 0; vm < machine->plan.vm_count; vm++) {
        enum let let = lets(loading, vm);
        if (machine->cores[vm] && let == LETS_NOBODY)
            check_core(loading, vm);
        process.controls |= (uint32_t)(let != LETS_NOBODY && (wanted || machine->cores[vm])) << vm;
        machine->plan.vms[vm].waits = wanted && let == WAITS;
        cores |= machine->cores[vm];
    }
    if (!wanted && !(cores && use & MACHINE_EMULATED))
        return;
    if (process.controls == 0)
        description_error(&loading->file, "vms",
                          "no VM lets itself be controlled; take 'control: no' from one");
    process.awaited = cores;
    strcpy(process.arguments, cores ? "hold" : "");
    check_homes(loading, &process);
    int added = process_add(loading, "vms", BUILT_CONTROL, &process);
    if (added >= 0)
        add_watches(&machine->plan, (uint32_t)added);
}

bool control_process_is_in(const struct plan *plan)
{
    bool is_in = false;

    for (uint32_t i = 0; i < plan->process_count; i++)
        is_in |= plan->processes[i].controls != 0;
    return is_in;
}
