/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the driver is to be notified (2.7.7.2): of the entries that were added since it was asked
 * last, one has been written at the index that the driver named in used_event; without EVENT_IDX,
 * unless the flag forbids it.
 */
#include "tests/proofs/queue.h"

static uint16_t flags, used_event;

static uint16_t guest_load(const uint16_t *at, int order)
{
    uint64_t address = guest_address(at);

    prove(is_ram(address, sizeof(*at)));
    if (address == queue.at.available)
        return flags;
    prove(address == queue.at.available + 4 + 2 * (uint64_t)queue.size);
    return used_event;
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
    uint16_t entry = nondet_u16(), first, added;
    bool wants, written_at_event;

    queue_make();
    flags = nondet_u16();
    used_event = nondet_u16();
    first = queue.notified;
    added = (uint16_t)(queue.next_used - first);
    wants = virtq_wants_interrupt(&queue);
    if (!queue.event_idx) {
        prove(wants == (added > 0 && !(flags & 1)));
    } else {
        /* If there is such an entry, and only then. */
        written_at_event = entry < added && (uint16_t)(first + entry) == used_event;
        prove(!written_at_event || wants);
        prove(!wants || (uint16_t)(used_event - first) < added);
    }
    prove(!virtq_wants_interrupt(&queue)); /* nobody is notified twice of the same */
}
