/* SPDX-License-Identifier: BSD-2-Clause */
/* Promises of the CPU: see promise.h. */
#include "tool/promise.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_DEFAULT 10000
#define MILLION        1000000ULL

/* Reads "3ms" or "500us"; 0: it is no such time. */
static uint32_t parse(const char *word)
{
    char *rest;

    if (word[0] < '0' || word[0] > '9')
        return 0;
    unsigned long number = strtoul(word, &rest, 10);
    if (number > PLAN_PERIOD_MAX)
        return 0;
    if (strcmp(rest, "us") == 0)
        return (uint32_t)number;
    return strcmp(rest, "ms") == 0 ? (uint32_t)number * 1000 : 0;
}

static bool read_time(struct loading *loading, const char *where, const char *key, const char *word,
                      uint32_t *us)
{
    char path[64];

    if (!word)
        return true;
    *us = parse(word);
    if (*us >= PLAN_BUDGET_MIN && *us <= PLAN_PERIOD_MAX)
        return true;
    snprintf(path, sizeof(path), "%s.%s", where, key);
    description_error(&loading->file, path,
                      "'%s' is no time from %uus to %ums; write for example 3ms or 500us", word,
                      PLAN_BUDGET_MIN, PLAN_PERIOD_MAX / 1000);
    return false;
}

/* One promise more on each of these CPUs, some of which may be the same. */
static void add(struct loading *loading, const char *where, const uint32_t *cpus, uint32_t count,
                uint64_t millionths)
{
    for (uint32_t i = 0; i < count; i++)
        loading->promised[cpus[i]] += millionths;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t sum = loading->promised[cpus[i]];

        if (sum <= PLAN_PROMISED_MAX * MILLION / 100)
            continue;
        description_error(&loading->file, where,
                          "with this one %.1f %% of CPU %u are promised; lower it, or another, or "
                          "choose another CPU: %u %% can be",
                          (double)sum * 100 / MILLION, cpus[i], PLAN_PROMISED_MAX);
        return;
    }
}

void promise_load(struct loading *loading, const char *where, const char *budget,
                  const char *period, const uint32_t *cpus, uint32_t count, uint32_t *budget_us,
                  uint32_t *period_us)
{
    uint32_t us = 0, in = PERIOD_DEFAULT;
    char path[64];

    if (!read_time(loading, where, "budget", budget, &us) ||
        !read_time(loading, where, "period", period, &in))
        return;
    snprintf(path, sizeof(path), "%s.%s", where, budget ? "budget" : "period");
    if (period && !budget) {
        description_error(&loading->file, path, "there is no budget for it; add one");
    } else if (us > in) {
        description_error(&loading->file, path,
                          "%s is more than the period of %uus; lower it, or raise the period",
                          budget, in);
    } else if (us > 0) {
        *budget_us = us;
        *period_us = in;
        add(loading, path, cpus, count, plan_promised(us, in));
    }
}

static void print_promise(uint32_t budget, uint32_t period)
{
    if (budget)
        printf("%uus in each %uus, %.1f %%\n", budget, period, 100.0 * budget / period);
    else
        printf("nothing is promised\n");
}

/* The CPUs once each, in the order of the vCPUs that are there. */
static void print_homes(const struct plan_vm *vm)
{
    for (uint32_t v = 0; v < vm->vcpus; v++) {
        uint32_t before = 0;

        while (vm->cpus[before] != vm->cpus[v])
            before++;
        if (before == v)
            printf("%s CPU %u", v > 0 ? "," : "", vm->cpus[v]);
    }
}

static void print_vm(const struct plan_vm *vm, bool alone)
{
    printf("%s:", vm->name);
    print_homes(vm);
    if (vm->vcpus > 1)
        printf(", %u vCPUs", vm->vcpus);
    printf(": ");
    if (alone) {
        printf("alone\n");
        return;
    }
    if (vm->vcpus > 1 && vm->budget)
        printf("each ");
    print_promise(vm->budget, vm->period);
}

static void print_sum(const struct plan *plan, uint32_t cpu)
{
    double sum = 0;

    for (uint32_t i = 0; i < plan->vm_count; i++)
        for (uint32_t v = 0; plan->vms[i].budget && v < plan->vms[i].vcpus; v++)
            if (plan->vms[i].cpus[v] == cpu)
                sum += 100.0 * plan->vms[i].budget / plan->vms[i].period;
    for (uint32_t i = 0; i < plan->process_count; i++)
        if (plan->processes[i].budget && plan->processes[i].cpu == cpu)
            sum += 100.0 * plan->processes[i].budget / plan->processes[i].period;
    if (sum > 0)
        printf("CPU %u: %.1f %% is promised, of %u %%\n", cpu, sum, PLAN_PROMISED_MAX);
}

void promise_print(const struct machine *machine)
{
    const struct plan *plan = &machine->plan;

    for (uint32_t i = 0; i < plan->vm_count; i++)
        print_vm(&plan->vms[i], machine->alone[i]);
    for (uint32_t i = 0; i < plan->process_count; i++) {
        printf("%s: CPU %u: ", plan->processes[i].name, plan->processes[i].cpu);
        print_promise(plan->processes[i].budget, plan->processes[i].period);
    }
    for (uint32_t cpu = 0; cpu < machine->cpus; cpu++)
        print_sum(plan, cpu);
}
