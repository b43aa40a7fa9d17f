/* SPDX-License-Identifier: BSD-2-Clause */
/* Linear to physical addresses of a guest that stands still, by its page tables. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"

/* Reads an entry of `size` bytes, 4 or 8, of a table in guest memory. False: there is none. */
typedef bool gdb_entry_reader(void *context, uint64_t gpa, unsigned size, uint64_t *entry);

/* *gpa is where `linear` lies in the guest's physical memory, whoever may access it: rights say
 * nothing here, and no flag is set (SDM volume 3, "Paging"). False: nothing is there. */
bool gdb_walk(const struct guest_state *state, uint64_t linear, gdb_entry_reader *read,
              void *context, uint64_t *gpa);
