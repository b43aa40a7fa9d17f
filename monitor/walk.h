/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest-linear to guest-physical addresses, by the guest's own page tables and rights. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/emulate.h"
#include "monitor/guest_memory.h"

enum walk_access { WALK_READ, WALK_WRITE, WALK_FETCH };

/* The entries that a 4-level walk took, from the root to the leaf, with the flags that it set. */
struct walk_path {
    struct walk_step {
        uint64_t *at; /* NULL: the entry is not in RAM */
        uint64_t value;
    } step[4];
    unsigned count;
};

/*
 * Translates one address for an access at the current privilege level, as the processor would:
 * accessed and dirty flags are set, unless it faults. False: *fault is the #PF, or the #GP for an
 * address that is not canonical (SDM volume 3, "Paging").
 */
bool walk(const struct guest_memory *memory, const struct guest_state *state, uint64_t linear,
          enum walk_access access, uint64_t *physical, struct emulate_fault *fault);

/* Likewise; *path is the walk's path where there are four levels, and else has no steps. */
bool walk_along(const struct guest_memory *memory, const struct guest_state *state, uint64_t linear,
                enum walk_access access, uint64_t *physical, struct emulate_fault *fault,
                struct walk_path *path);

/* The PDPTEs of PAE paging at CR3; false: not in RAM, or with reserved bits, and none is set. */
bool walk_pdptes(const struct guest_memory *memory, uint64_t cr3, uint64_t pdpte[4]);
