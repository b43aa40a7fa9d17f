/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a driver may say that its rings are. */
#include "tests/proofs/queue.h"

static uint16_t guest_load(const uint16_t *at, int order)
{
    prove(false); /* nothing is touched yet */
    return 0;
}

static void guest_store(uint16_t *at, uint16_t value, int order)
{
    prove(false);
}

static void guest_copy(void *to, const void *from, size_t size)
{
    prove(false);
}

void proof(void)
{
    uint64_t size;

    queue_make();
    size = queue.size;
    prove(is_ram(queue.at.descriptors, 16 * size) && queue.at.descriptors % 16 == 0);
    prove(is_ram(queue.at.available, 6 + 2 * size) && queue.at.available % 2 == 0);
    prove(is_ram(queue.at.used, 6 + 8 * size) && queue.at.used % 4 == 0);
    prove(guest_address(queue.descriptors) == queue.at.descriptors);
    prove(guest_address(queue.available) == queue.at.available);
    prove(guest_address(queue.used) == queue.at.used);
}
