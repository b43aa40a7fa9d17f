/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/kvmclock.h"

#define NANOSECONDS 1000000000ULL

struct kvmclock_scale kvmclock_scale(uint64_t tsc_khz)
{
    struct kvmclock_scale scale = {0, 0};
    uint64_t hz = tsc_khz * 1000;

    /* Shift until 10^9 / hz is in [1/2, 1), which makes the most of 32 fraction bits. */
    while (hz <= NANOSECONDS) {
        hz <<= 1;
        scale.shift++;
    }
    while (hz > 2 * NANOSECONDS) {
        hz >>= 1;
        scale.shift--;
    }
    scale.multiplier = (uint32_t)((NANOSECONDS << 32) / hz);
    return scale;
}

uint64_t kvmclock_nanoseconds(struct kvmclock_scale scale, uint64_t ticks)
{
    ticks = scale.shift >= 0 ? ticks << scale.shift : ticks >> -scale.shift;
    return (uint64_t)((unsigned __int128)ticks * scale.multiplier >> 32);
}
