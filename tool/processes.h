/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan's processes: programs in ring 3 beside the monitors. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tool/loading.h"
#include "tool/paths.h"

/* Adds a process with this image to the plan, whose name nobody may have. Returns its row; -1 after
 * a message at the place `where`. */
int process_add(struct loading *loading, const char *where, enum built_file image,
                const struct plan_process *process);

/* Reads which one of the machine's devices of its kind a process has; by default (NULL) the first
 * that no process before it has. False after a message at the place `where`. */
bool process_index_load(struct loading *loading, const char *where, const char *word,
                        struct plan_process *process);
