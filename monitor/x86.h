/* SPDX-License-Identifier: BSD-2-Clause */
/* Architectural bits of the guest's state that the monitor looks at, by the SDM's names. */
#pragma once

#include <stdbool.h>

#include "abi/exit.h"
#include "abi/vmcs.h"
#include "lib/x86.h"

/* Error code of a page fault. */
#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)
#define PF_KEY      (1u << 5)

/* Real mode and virtual-8086 mode make a base of a selector. */
static inline bool loads_descriptors(const struct guest_state *s)
{
    return s->cr0 & CR0_PE && !(s->rflags & RFLAGS_VM);
}

static inline unsigned current_privilege(const struct guest_state *s)
{
    return ACCESS_DPL(s->segment[SEG_SS].access);
}
