/* SPDX-License-Identifier: BSD-2-Clause */
/* A label is found if one partition has it, and two of them are none. */
#include "tests/proofs/gpt.h"

#define MOST 2u

/* Whether the names are the same, of which each ends in its array. */
static bool is_same(const char *a, const char *b)
{
    for (unsigned i = 0; i < PLAN_LABEL_SIZE; i++) {
        if (a[i] != b[i])
            return false;
        if (a[i] == '\0')
            return true;
    }
    return true;
}

struct gpt_partition nondet_partition(void);

static struct gpt_partition partition(void)
{
    struct gpt_partition p = nondet_partition();

    suppose(p.name[PLAN_LABEL_SIZE - 1] == '\0');
    return p;
}

void proof(void)
{
    static struct gpt gpt;
    const struct gpt_partition label = partition(), *found;
    const char *error;
    unsigned same = 0;

    gpt.count = nondet_bool() ? MOST : nondet_bool();
    for (unsigned i = 0; i < MOST; i++) {
        gpt.partition[i] = partition();
        same += i < gpt.count && is_same(gpt.partition[i].name, label.name);
    }
    found = gpt_find(&gpt, label.name, &error);
    prove((found != NULL) == (same == 1));
    prove(!found || (found < &gpt.partition[gpt.count] && is_same(found->name, label.name)));
}
