/* SPDX-License-Identifier: BSD-2-Clause */
/* The reset control register. */
#include "monitor/reset.h"

#define CONTROL_BITS  0x0e
#define CONTROL_RESET 0x04 /* a change from 0 to 1 resets */

uint8_t reset_read(const struct reset *r)
{
    return r->control;
}

void reset_write(struct reset *r, uint8_t value)
{
    r->requested |= (value & ~r->control & CONTROL_RESET) != 0;
    r->control = value & CONTROL_BITS;
}
