/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ring 0's log ring (abi/log.h). */
#pragma once

#include <stdbool.h>

#include "abi/log.h"

struct log_entry {
    struct log_record is;
    char text[LOG_LINE_MAX];
};

/* Where the last reader was. `at` is PROCESS_LOG. */
void log_open(void *at);

/* Whether there is a record, and which. */
bool log_peek(struct log_entry *entry);

/* It is taken: the next one is behind it. */
void log_next(const struct log_entry *entry);

/* Whether the last words of this VM, by its index in the plan, are among what is not taken. */
bool log_tells_end(uint32_t vm);

/* Whether it is looked at without being told: ring 0 wakes us for no line then. Who says false
 * peeks once more. */
void log_look(bool looks);

/* Somebody asks where the guests are: they may say so, whatever they have said before. */
void log_ask(void);
