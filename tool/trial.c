/* SPDX-License-Identifier: BSD-2-Clause */
/* Trying the monitor's loader: see trial.h. */
#include "tool/trial.h"

/* What the loader writes itself lies below the kernel; all else goes through load_place. */
static uint8_t low_memory[LOAD_KERNEL_MIN];

/* The leaf in place of the monitor's: a trial needs no kernel in memory. */
void load_place(uint8_t *to, uint64_t size, const uint8_t *bytes, uint64_t count)
{
}

bool trial_load(struct load *load, uint64_t memory)
{
    struct guest_memory guest = guest_memory_make(low_memory, min_u64(memory, PLAN_HOLE_START));

    load->memory = &guest;
    bool good = load_guest(load);
    load->memory = NULL;
    return good;
}

uint64_t trial_least_memory(struct load *load)
{
    uint64_t memory = PLAN_MEMORY_UNIT;

    while (memory < PLAN_HOLE_START && !trial_load(load, memory))
        memory += PLAN_MEMORY_UNIT;
    return memory;
}
