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

void promise_load(struct loading *loading, const char *where, const char *budget,
                  const char *period, uint32_t *budget_us, uint32_t *period_us)
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
        loading->promised += plan_promised(us, in);
        *budget_us = us;
        *period_us = in;
        if (loading->promised > PLAN_PROMISED_MAX * MILLION / 100)
            description_error(
                &loading->file, path,
                "with this one %.1f %% of the CPU are promised; lower it, or another: %u %% can be",
                (double)loading->promised * 100 / MILLION, PLAN_PROMISED_MAX);
    }
}

static void print(const char *name, uint32_t budget, uint32_t period)
{
    if (budget)
        printf("%s: %uus of the CPU in each %uus, %.1f %%\n", name, budget, period,
               100.0 * budget / period);
}

void promise_print(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->vm_count; i++)
        print(plan->vms[i].name, plan->vms[i].budget, plan->vms[i].period);
    for (uint32_t i = 0; i < plan->process_count; i++)
        print(plan->processes[i].name, plan->processes[i].budget, plan->processes[i].period);
}
