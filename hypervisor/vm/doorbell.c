/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/doorbell.h"

#include "lib/string.h"

void doorbells_init(struct doorbells *d)
{
    d->block = DOORBELL_NOWHERE;
    memset(d->bit, DOORBELL_NONE, sizeof(d->bit));
}

bool doorbell_set(struct doorbells *d, uint16_t port, uint64_t bit)
{
    uint32_t block = port / GATE_DOORBELLS;

    if (d->block == DOORBELL_NOWHERE)
        d->block = block;
    if (d->block != block)
        return bit >= 64; /* it rings nothing as it is */
    d->bit[port % GATE_DOORBELLS] = bit < 64 ? (uint8_t)bit : DOORBELL_NONE;
    return true;
}
