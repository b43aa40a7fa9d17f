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
    prove(is_ram(queue.descriptors_at, 16 * size) && queue.descriptors_at % 16 == 0);
    prove(is_ram(queue.available_at, 6 + 2 * size) && queue.available_at % 2 == 0);
    prove(is_ram(queue.used_at, 6 + 8 * size) && queue.used_at % 4 == 0);
    prove(guest_address(queue.descriptors) == queue.descriptors_at);
    prove(guest_address(queue.available) == queue.available_at);
    prove(guest_address(queue.used) == queue.used_at);
}
