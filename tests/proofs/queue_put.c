/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain is given back: one entry of the used ring is written, and then its index (2.7.8). */
#include "tests/proofs/queue.h"

static uint16_t before;
static bool copied, moved;

static uint16_t guest_load(const uint16_t *at, int order)
{
    prove(false);
    return 0;
}

static void guest_store(uint16_t *at, uint16_t value, int order)
{
    prove(copied && !moved);
    prove(guest_address(at) == queue.at.used + 2);
    prove(value == (uint16_t)(before + 1));
    moved = true;
}

static void guest_copy(void *to, const void *from, size_t size)
{
    prove(!copied && !moved && size == 8);
    prove(guest_address(to) == queue.at.used + 4 + 8 * (uint64_t)(before % queue.size));
    prove(is_ram(guest_address(to), size));
    copied = true;
}

void proof(void)
{
    queue_make();
    before = queue.next_used;
    virtq_put(&queue, nondet_u16(), nondet_u32());
    prove(copied && moved && queue.next_used == (uint16_t)(before + 1));
}
