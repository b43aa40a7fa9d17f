/* SPDX-License-Identifier: BSD-2-Clause */
#include "guests/lib/chance.h"

uint32_t below(uint32_t limit)
{
    static uint64_t chance = 0x9e3779b97f4a7c15;

    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (uint32_t)(chance >> 32) % limit;
}
