/* SPDX-License-Identifier: BSD-2-Clause */
/* R21, R36: see agree.h. Each step is one instruction with LOCK, or a load. */
#include "hypervisor/vm/agree.h"

#include "hypervisor/cpu/words.h"
#include "lib/bits.h"

bool agree_take(struct agree *a, uint32_t n)
{
    return word_or(&a->monitor, BIT(n)) == 0;
}

uint32_t agree_give_up(struct agree *a, uint32_t n)
{
    uint64_t waiting = word_add(&a->monitor, -BIT(n)) & ~BIT(n), behind = waiting >> n << n;

    if (waiting == 0)
        return AGREE_NOBODY;
    return (uint32_t)__builtin_ctzll(behind != 0 ? behind : waiting);
}

/* It counts as awake before it is on its way: so nobody finds all at rest meanwhile. */
static bool send_end_of_rest(struct agree *a, uint64_t *signals, uint64_t signal)
{
    uint64_t before = word_load(signals);

    word_add(&a->awake, 1);
    while (!(before & signal & SIGNAL_ENDS_REST) &&
           !word_replace(signals, &before, before | signal))
        continue;
    return before & SIGNAL_ENDS_REST && agree_change(a, -1);
}

bool agree_send(struct agree *a, uint64_t *signals, uint64_t signal)
{
    if (signal & SIGNAL_ENDS_REST)
        return send_end_of_rest(a, signals, signal);
    return word_swap(signals, signal) & SIGNAL_ENDS_REST && agree_change(a, -1);
}

uint64_t agree_receive(uint64_t *signals)
{
    return word_swap(signals, 0);
}

bool agree_change(struct agree *a, int64_t by)
{
    return by != 0 && word_add(&a->awake, (uint64_t)by) + (uint64_t)by == 0;
}

void agree_reset(struct agree *a, uint32_t count)
{
    word_swap(&a->resets, count + 1);
}

bool agree_resets(const struct agree *a)
{
    return word_load(&a->resets) != 0;
}

bool agree_heard(struct agree *a)
{
    return word_add(&a->resets, -1ULL) == 2;
}

void agree_begin(struct agree *a)
{
    word_swap(&a->monitor, 1);
    word_swap(&a->awake, 1);
    word_swap(&a->resets, 0);
}
