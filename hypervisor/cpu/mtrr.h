/* SPDX-License-Identifier: BSD-2-Clause */
/* Which physical memory the firmware has made write-back. The memory types of ring 0's tables and
 * of EPT only take away from that (SDM volume 3, "Memory Type Range Registers (MTRRs)"). R7. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/phys_map.h"

#define MTRR_VARIABLE_MAX 32 /* more are not looked at */

struct mtrrs {
    uint64_t def_type; /* IA32_MTRR_DEF_TYPE; 0 where there are no MTRRs */
    uint32_t count;
    struct mtrr_pair {
        uint64_t base, mask; /* IA32_MTRR_PHYSBASEn, IA32_MTRR_PHYSMASKn */
    } variable[MTRR_VARIABLE_MAX];
};

/* Reads this CPU's; writes them, while it caches nothing. Not the fixed ranges, below 1 MiB. */
void mtrr_read(struct mtrrs *mtrrs);
void mtrr_write(const struct mtrrs *mtrrs);

/*
 * Takes out of `map` what is not write-back. MTRRs that are off say nothing. Nor are the fixed
 * ranges asked: the map must have nothing below 1 MiB. False: `map` is full. Pure.
 */
bool mtrr_keep_write_back(const struct mtrrs *mtrrs, struct phys_map *map);
