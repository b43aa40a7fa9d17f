/* SPDX-License-Identifier: BSD-2-Clause */
/* What the VMs run on: see host.h. */
#include "tool/host.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmx_caps.h"
#include "tool/emulator.h"
#include "tool/name.h"
#include "tool/size.h"

/* The names in the hypervisor's table, and all of them in one message. */
#define MSR_STRATEGY(id, name, ...) name,
static const char *const msr_strategies[] = {
#include "abi/strategies.def"
};
#undef MSR_STRATEGY

#define MSR_STRATEGY(id, name, ...) " " name
static const char msr_strategy_list[] =
#include "abi/strategies.def"
    ;
#undef MSR_STRATEGY

static void load_msr_switch(struct loading *loading)
{
    const char *name = loading->file.content->host.msr_switch;

    for (size_t i = 0; name && i < sizeof(msr_strategies) / sizeof(msr_strategies[0]); i++) {
        if (strcmp(msr_strategies[i], name) == 0) {
            loading->machine->msr_switch = msr_strategies[i];
            return;
        }
    }
    if (name) {
        description_error(&loading->file, "host.msr-switch",
                          "'%s' is no way to switch MSRs; write one of:%s", name,
                          msr_strategy_list);
    }
}

/* The controls that a VM cannot be without. */
#define CONTROL(id, word, bit, name, need, ...) {name, CONTROL_##need},
static const struct {
    const char *name;
    enum control_need need;
} controls[] = {
#include "abi/controls.def"
};
#undef CONTROL

static bool is_needed(const char *control)
{
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
        if (strcmp(controls[i].name, control) == 0)
            return controls[i].need == CONTROL_NEEDED;
    return false;
}

static void load_hidden(struct loading *loading, unsigned i)
{
    struct machine *machine = loading->machine;
    const char *name = loading->file.content->host.hide[i];
    uint64_t hidden;
    char where[32];

    snprintf(where, sizeof(where), "host.hide[%u]", i);
    if (!name[0] || strchr(name, ',') || !vmx_control_parse(name, &hidden))
        description_error(&loading->file, where, "'%s' is no VMX control; 'lintel caps' lists them",
                          name);
    else if (is_needed(name))
        description_error(&loading->file, where,
                          "Lintel cannot do without '%s'; docs/controls.md has those that it can "
                          "do without, 'wanted'",
                          name);
    char *longer =
        text("%s%s%s", machine->hide ? machine->hide : "", machine->hide ? "," : "", name);
    free(machine->hide);
    machine->hide = longer;
}

/* MODEL[+FEATURE]... */
static void load_cpu(struct loading *loading)
{
    const char *cpu = loading->file.content->host.cpu;

    if (cpu && (!cpu[0] || cpu[strspn(cpu, WORD_CHARACTERS "+")])) {
        description_error(&loading->file, "host.cpu",
                          "'%s' is no CPU model; 'bochs --help cpu' lists them", cpu);
        return;
    }
    char *obstacle = cpu ? emulator_cpu_obstacle(cpu) : NULL;
    if (obstacle)
        description_error(&loading->file, "host.cpu", "%s", obstacle);
    free(obstacle);
}

void host_load(struct loading *loading)
{
    const struct host_description *host = &loading->file.content->host;
    struct machine *machine = loading->machine;

    if (host->memory && (!size_parse(host->memory, &machine->memory) || machine->memory % MIB)) {
        description_error(&loading->file, "host.memory",
                          "'%s' is no size in MiB; write for example 512M or 2G", host->memory);
    }
    load_cpu(loading);
    machine->cpu = host->cpu ? text("%s", host->cpu) : NULL;
    load_msr_switch(loading);
    for (unsigned i = 0; i < host->hide_count; i++)
        load_hidden(loading, i);
}
