/* SPDX-License-Identifier: BSD-2-Clause */
/* R43: the guest's breakpoints on what its monitor accesses in its name. */
#include "monitor/breakpoint.h"

#include "monitor/x86.h"

/* DR7: two enable bits for each breakpoint, and from bit 16 on R/W and LEN, which is 8 bytes for 2
 * (SDM volume 3, "Debug Control Register (DR7)"). */
#define DR7_ENABLE(dr7, n) ((dr7) >> 2 * (n) & 3)
#define DR7_RW(dr7, n)     ((dr7) >> (16 + 4 * (n)) & 3)
#define DR7_LEN(dr7, n)    ((dr7) >> (18 + 4 * (n)) & 3)

#define RW_WRITE      1
#define RW_PORT       2
#define RW_READ_WRITE 3

static bool watches(const struct guest_state *s, unsigned n, enum breakpoint_access access)
{
    switch (DR7_RW(s->dr7, n)) {
    case RW_WRITE:
        return access == BREAKPOINT_WRITE;
    case RW_PORT:
        return access == BREAKPOINT_PORT && s->cr4 & CR4_DE;
    case RW_READ_WRITE:
        return access != BREAKPOINT_PORT;
    default: /* code: the processor's */
        return false;
    }
}

uint32_t breakpoints_met(const struct guest_state *s, enum breakpoint_access access,
                         uint64_t address, unsigned size)
{
    static const uint8_t lengths[] = {1, 2, 8, 4};
    uint32_t met = 0;

    for (unsigned n = 0; n < 4; n++) {
        uint64_t length = lengths[DR7_LEN(s->dr7, n)], first = s->dr[n] & ~(length - 1);

        if (DR7_ENABLE(s->dr7, n) && watches(s, n, access) &&
            (first - address < size || address - first < length))
            met |= 1u << n;
    }
    return met;
}
