/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's breakpoints on what its monitor accesses in its name (R43). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/exit.h"
#include "monitor/x86.h"

enum breakpoint_access { BREAKPOINT_READ, BREAKPOINT_WRITE, BREAKPOINT_PORT };

/* Which of DR0 to DR3 these bytes meet, a bit for each (SDM volume 3, "Breakpoint Field
 * Recognition"). */
uint32_t breakpoints_met(const struct guest_state *state, enum breakpoint_access access,
                         uint64_t address, unsigned size);

static inline bool breakpoints_on(const struct guest_state *s)
{
    return s->dr7 & DR7_ENABLED;
}

/* Whether each iteration of a REP instruction may be followed by a #DB. */
static inline bool traps_between(const struct guest_state *s)
{
    return s->rflags & RFLAGS_TF || breakpoints_on(s);
}
