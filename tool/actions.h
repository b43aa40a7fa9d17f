/* SPDX-License-Identifier: BSD-2-Clause */
/* What a description can say of a VM's resets, faults and halts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/plan.h"

/* False when the event's key does not take this word; a NULL word is a key that is not there. */
bool action_parse(enum plan_event event, const char *word, uint32_t *action);

/* The key's name, and the words that it takes, for messages. */
const char *action_key(enum plan_event event);
const char *action_words(enum plan_event event);
