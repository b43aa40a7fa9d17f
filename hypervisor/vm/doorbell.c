/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/doorbell.h"

#include "lib/bits.h"
#include "lib/string.h"

/* The table begins with a lower port. */
static void move(struct doorbells *d, uint32_t first)
{
    uint32_t by = d->first - first;

    for (uint32_t i = d->count; i-- > 0;)
        d->bit[i + by] = d->bit[i];
    memset(d->bit, DOORBELL_NONE, by);
    d->count += by;
    d->first = first;
}

bool doorbell_set(struct doorbells *d, uint16_t port, uint64_t bit)
{
    uint32_t first = d->count == 0 ? port : (uint32_t)min_u64(d->first, port);
    uint32_t end = (uint32_t)max_u64(d->first + d->count, port + 1u);

    if (d->count == 0)
        end = port + 1u;
    if (end - first > GATE_DOORBELLS)
        return bit >= 64; /* it rings nothing as it is */
    if (d->count == 0)
        d->first = first;
    if (first < d->first)
        move(d, first);
    for (; d->first + d->count < end; d->count++)
        d->bit[d->count] = DOORBELL_NONE;
    d->bit[port - d->first] = bit < 64 ? (uint8_t)bit : DOORBELL_NONE;
    return true;
}
