/* SPDX-License-Identifier: BSD-2-Clause */
/* Homes: see homes.h. */
#include "tool/homes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/yes_no.h"

#define NOBODY  PLAN_MAX_VMS
#define BY_RULE UINT32_MAX /* no CPU yet: loading->common, when all VMs have been read */

/* Reads a number below `end`; false: it is none. */
static bool parse(const char *word, uint32_t end, uint32_t *number)
{
    size_t digits = strspn(word, "0123456789");

    if (digits == 0 || digits > 3 || word[digits])
        return false;
    *number = (uint32_t)strtoul(word, NULL, 10);
    return *number < end;
}

static bool is_at_home(const struct plan_vm *vm, uint32_t cpu)
{
    for (uint32_t v = 0; v < vm->vcpus; v++)
        if (vm->cpus[v] == cpu)
            return true;
    return false;
}

/* The VM among the first `count` that has a CPU alone; NOBODY: none has. */
static unsigned alone_on(const struct machine *machine, unsigned count, uint32_t cpu)
{
    for (unsigned vm = 0; vm < count; vm++)
        if (machine->alone[vm] && is_at_home(&machine->plan.vms[vm], cpu))
            return vm;
    return NOBODY;
}

/* A CPU of the machine, by its number; false after a message. */
static bool read_cpu(struct loading *loading, const char *where, const char *word, uint32_t *cpu)
{
    uint32_t end = loading->machine->cpus ? loading->machine->cpus : CPUS_MAX;
    bool good = parse(word, end, cpu);

    if (!good) {
        description_error(&loading->file, where, "'%s' is no CPU%s; write a number from 0 to %u%s",
                          word, loading->machine->cpus ? " of the machine (host.cpus)" : "",
                          end - 1, loading->machine->cpus ? ", or raise that" : "");
    }
    return good;
}

static void read_vcpus(struct loading *loading, unsigned i)
{
    const char *word = loading->file.content->vms[i].vcpus;
    struct plan_vm *vm = &loading->machine->plan.vms[i];
    char where[40];

    vm->vcpus = 1;
    if (!word || (parse(word, PLAN_MAX_VCPUS + 1, &vm->vcpus) && vm->vcpus > 0))
        return;
    vm->vcpus = 1;
    snprintf(where, sizeof(where), "vms[%u].vcpus", i);
    description_error(&loading->file, where, "'%s' is not possible; write a number from 1 to %u",
                      word, PLAN_MAX_VCPUS);
}

/* The list of a VM's CPUs: its vCPUs are on them in turn. */
static bool read_list(struct loading *loading, unsigned i)
{
    const struct vm_description *from = &loading->file.content->vms[i];
    struct plan_vm *vm = &loading->machine->plan.vms[i];
    char where[40];

    if (from->cpus_count > vm->vcpus) {
        snprintf(where, sizeof(where), "vms[%u].cpus[%u]", i, vm->vcpus);
        description_error(&loading->file, where,
                          "the VM has %u vCPU%s, and so many CPUs at most; remove this one",
                          vm->vcpus, vm->vcpus == 1 ? "" : "s");
        return false;
    }
    for (unsigned n = 0; n < from->cpus_count; n++) {
        snprintf(where, sizeof(where), "vms[%u].cpus[%u]", i, n);
        if (!read_cpu(loading, where, from->cpus[n], &vm->cpus[n]))
            return false;
    }
    for (uint32_t v = from->cpus_count; v < vm->vcpus; v++)
        vm->cpus[v] = vm->cpus[v % from->cpus_count];
    return true;
}

/* Whether a VM that says where it is, and whether alone, can have that beside those before it. */
static void check_alone(struct loading *loading, unsigned i)
{
    const struct vm_description *from = &loading->file.content->vms[i];
    struct machine *machine = loading->machine;
    const struct plan_vm *vm = &machine->plan.vms[i];
    char where[40];

    for (unsigned n = 0; n < from->cpus_count; n++) {
        unsigned other = alone_on(machine, i, vm->cpus[n]);
        snprintf(where, sizeof(where), "vms[%u].cpus[%u]", i, n);
        for (unsigned j = 0; other == NOBODY && machine->alone[i] && j < i; j++)
            if (is_at_home(&machine->plan.vms[j], vm->cpus[n]))
                other = j;
        if (other != NOBODY)
            description_error(&loading->file, where,
                              "vms[%u] is on CPU %u, and one of them wants it alone; choose "
                              "another CPU",
                              other, vm->cpus[n]);
    }
}

/* A VM that says where it is at home. */
static void load_vm(struct loading *loading, unsigned i)
{
    const struct vm_description *from = &loading->file.content->vms[i];
    bool *alone = &loading->machine->alone[i];
    char where[40];

    snprintf(where, sizeof(where), "vms[%u].alone", i);
    *alone = yes_no(loading, where, from->alone, false);
    if (*alone && from->cpus_count == 0)
        description_error(&loading->file, where,
                          "the CPUs that it has alone are missing; add 'cpus', such as [1]");
    if (from->cpus_count == 0 || !read_list(loading, i)) {
        memset(loading->machine->plan.vms[i].cpus, 0xff,
               sizeof(loading->machine->plan.vms[i].cpus));
        return;
    }
    if (*alone && (from->budget || from->period)) {
        const char *key = from->budget ? "budget" : "period";

        snprintf(where, sizeof(where), "vms[%u].%s", i, key);
        description_error(&loading->file, where, "it has its CPUs alone; remove the %s", key);
    }
    check_alone(loading, i);
}

static void load_count(struct loading *loading)
{
    const char *word = loading->file.content->host.cpus;
    uint32_t count = 0;

    if (word && (!parse(word, CPUS_MAX + 1, &count) || count == 0)) {
        description_error(&loading->file, "host.cpus",
                          "'%s' is no number of CPUs; write one from 1 to %u", word, CPUS_MAX);
        count = 0;
    }
    loading->machine->cpus = count;
}

void homes_load(struct loading *loading)
{
    struct machine *machine = loading->machine;
    struct plan *plan = &machine->plan;

    load_count(loading);
    for (unsigned i = 0; i < plan->vm_count; i++) {
        read_vcpus(loading, i);
        load_vm(loading, i);
    }
    while (alone_on(machine, plan->vm_count, loading->common) != NOBODY)
        loading->common++;
    if (loading->common >= (machine->cpus ? machine->cpus : CPUS_MAX)) {
        description_error(&loading->file, "host.cpus",
                          "VMs have all CPUs of the machine alone, and the console and the drivers "
                          "need one; take 'alone' from a VM");
    }
    for (unsigned i = 0; i < plan->vm_count; i++)
        for (uint32_t v = 0; v < PLAN_MAX_VCPUS; v++)
            if (plan->vms[i].cpus[v] == BY_RULE)
                plan->vms[i].cpus[v] = v < plan->vms[i].vcpus ? loading->common : 0;
}

uint32_t home_load(struct loading *loading, const char *where, const char *word)
{
    const struct machine *machine = loading->machine;
    uint32_t cpu;

    if (!word || !read_cpu(loading, where, word, &cpu))
        return loading->common;
    unsigned vm = alone_on(machine, machine->plan.vm_count, cpu);
    if (vm == NOBODY)
        return cpu;
    description_error(&loading->file, where, "vms[%u] has CPU %u alone; choose another", vm, cpu);
    return loading->common;
}

void homes_count(struct machine *machine)
{
    const struct plan *plan = &machine->plan;
    uint32_t last = 0;

    for (uint32_t i = 0; i < plan->vm_count; i++)
        for (uint32_t v = 0; v < plan->vms[i].vcpus; v++)
            last = plan->vms[i].cpus[v] > last ? plan->vms[i].cpus[v] : last;
    for (uint32_t i = 0; i < plan->process_count; i++)
        last = plan->processes[i].cpu > last ? plan->processes[i].cpu : last;
    if (machine->cpus == 0)
        machine->cpus = last + 1;
}
