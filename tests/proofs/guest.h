/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's memory in proofs: RAM of any size on both sides of the hole. Nothing is stored in it:
 * each load finds anything, as other CPUs of the guest write at any time.
 */
#pragma once

#include <stdlib.h>

#include "monitor/guest_memory.h"
#include "tests/proofs/proof.h"

#define GUEST_END (1ULL << 46) /* above all guest-physical addresses that are mapped */

static struct guest_memory guest;

static inline void guest_make(void)
{
    uint64_t mapped = nondet_u64(), bytes = nondet_u64();

    suppose(bytes <= GUEST_END - PLAN_HOLE_END && mapped >= GUEST_END && mapped <= 2 * GUEST_END);
    guest = guest_memory_make(malloc(mapped), bytes);
    suppose(guest.base != NULL);
}

/* Whether all of it is RAM, said a second time. */
static inline bool is_ram(uint64_t address, uint64_t size)
{
    uint64_t last = address + size - 1;

    return size > 0 && address <= last &&
           (last < guest.low_end || (address >= PLAN_HOLE_END && last < guest.high_end));
}

static inline uint64_t guest_address(const void *at)
{
    return (uint64_t)((const uint8_t *)at - guest.base);
}
