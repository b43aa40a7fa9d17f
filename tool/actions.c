/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for what becomes of a VM: see actions.h. */
#include "tool/actions.h"

#include <string.h>

static const char *const names[PLAN_ACTION_COUNT] = {
    [PLAN_AS_A_PC] = "wait",
    [PLAN_RESTART] = "restart",
    [PLAN_STOP] = "stop",
};

static const struct {
    const char *key, *words;
} events[PLAN_EVENT_COUNT] = {
    [PLAN_ON_RESET] = {"on-reset", "restart or stop"},
    [PLAN_ON_FAULT] = {"on-fault", "stop, core or restart"},
    [PLAN_ON_HALT] = {"on-halt", "wait, stop or restart"},
};

bool action_parse(enum plan_event event, const char *word, uint32_t *action)
{
    *action = PLAN_AS_A_PC;
    if (!word)
        return true;
    for (uint32_t i = event == PLAN_ON_HALT ? 0 : PLAN_RESTART; i < PLAN_ACTION_COUNT; i++) {
        if (strcmp(word, names[i]) == 0) {
            *action = i;
            return true;
        }
    }
    return false;
}

const char *action_key(enum plan_event event)
{
    return events[event].key;
}

const char *action_words(enum plan_event event)
{
    return events[event].words;
}
