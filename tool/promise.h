/* SPDX-License-Identifier: BSD-2-Clause */
/* What VMs and drivers are promised of the CPU: the keys budget and period. */
#pragma once

#include <stdint.h>

#include "tool/loading.h"

/* Reads the two words, NULL for keys that are not there, of the entry `where` ("vms[0]"), which is
 * at home on `count` CPUs and is promised so much of each; both results are in microseconds, as in
 * the plan, and 0 where nothing is promised or what is wrong has been said. */
void promise_load(struct loading *loading, const char *where, const char *budget,
                  const char *period, const uint32_t *cpus, uint32_t count, uint32_t *budget_us,
                  uint32_t *period_us);

/* Prints a line for each VM and process: where it is at home, and what it is promised there. */
void promise_print(const struct machine *machine);
