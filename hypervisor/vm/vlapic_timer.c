/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC's timer (R41, R42; SDM volume 3, "APIC Timer"): nothing runs. The counter
 * is worked out from the TSC when it is read, and l->due says when there is something to do.
 */
#include "hypervisor/vm/vlapic_page.h"

/* log2 of the divisor: bits 3, 1 and 0 are 000 for 2 up to 110 for 128, and 111 for 1. */
static unsigned divide_shift(const struct vlapic *l)
{
    uint32_t divide = *apic_reg(l, APIC_DIVIDE);
    return ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
}

/* Guest TSC ticks from the initial count to zero; 0: the counter stands. */
static uint64_t period(const struct vlapic *l)
{
    return l->counting ? (uint64_t)*apic_reg(l, APIC_INITIAL_COUNT) << divide_shift(l) : 0;
}

/* Mode 3 is reserved, and taken for TSC-deadline mode. */
static uint32_t timer_mode(const struct vlapic *l)
{
    uint32_t lvt = *apic_reg(l, APIC_LVT_TIMER);
    return lvt & LVT_TIMER_DEADLINE ? LVT_TIMER_DEADLINE : lvt & LVT_TIMER_PERIODIC;
}

/*
 * When a counting timer is due next; in TSC-deadline mode the guest says that. A period that is
 * shorter than the least one goes on counting, but its interrupts merge: a guest that takes longer
 * for each than its period would come to nothing else.
 */
static void arm(struct vlapic *l, uint64_t now)
{
    uint64_t ticks = period(l);
    uint64_t elapsed = now - l->start;
    if (timer_mode(l) == LVT_TIMER_DEADLINE)
        return;
    l->due = VLAPIC_NEVER;
    if (ticks == 0 || (*apic_reg(l, APIC_LVT_TIMER) & LVT_MASKED))
        return; /* a masked counter goes on unwatched */
    if (timer_mode(l) == LVT_TIMER_PERIODIC)
        l->due = ((elapsed + (ticks < l->least_period ? l->least_period : 0)) / ticks + 1) * ticks;
    else if (elapsed < ticks)
        l->due = ticks;
}

void vlapic_expire(struct vlapic *l, uint64_t now)
{
    if (!vlapic_timer_due(l, now))
        return;
    uint32_t lvt = *apic_reg(l, APIC_LVT_TIMER);
    l->due = VLAPIC_NEVER;
    arm(l, now);
    if (!(lvt & LVT_MASKED))
        vlapic_deliver(l, (uint8_t)lvt, false);
}

uint32_t apic_current_count(const struct vlapic *l, uint64_t now)
{
    uint64_t ticks = period(l);
    uint64_t elapsed = now - l->start;
    if (ticks == 0 || timer_mode(l) == LVT_TIMER_DEADLINE)
        return 0;
    if (timer_mode(l) == LVT_TIMER_PERIODIC)
        elapsed %= ticks;
    if (elapsed >= ticks)
        return 0;
    return *apic_reg(l, APIC_INITIAL_COUNT) - (uint32_t)(elapsed >> divide_shift(l));
}

void apic_timer_load(struct vlapic *l, uint32_t initial, uint64_t now)
{
    vlapic_expire(l, now);
    if (timer_mode(l) == LVT_TIMER_DEADLINE)
        return; /* ignored in this mode */
    *apic_reg(l, APIC_INITIAL_COUNT) = initial;
    l->counting = true;
    l->start = now;
    arm(l, now);
}

/* The count goes on from where it is, at the new pace. */
void apic_timer_divide(struct vlapic *l, uint32_t divide, uint64_t now)
{
    vlapic_expire(l, now);
    uint32_t counted = *apic_reg(l, APIC_INITIAL_COUNT) - apic_current_count(l, now);
    *apic_reg(l, APIC_DIVIDE) = divide;
    if (timer_mode(l) == LVT_TIMER_DEADLINE)
        return; /* the TSC is not divided */
    l->start = now - ((uint64_t)counted << divide_shift(l));
    arm(l, now);
}

/* Between one-shot and periodic the count goes on from where it is; one that has
 * reached 0 stands. */
static void change_mode(struct vlapic *l, uint64_t now)
{
    uint64_t ticks = period(l);
    if (apic_current_count(l, now) == 0)
        l->counting = false;
    else
        l->start += (now - l->start) / ticks * ticks;
}

/* lvt has its reserved bits cleared. */
void apic_timer_lvt(struct vlapic *l, uint32_t lvt, uint64_t now)
{
    vlapic_expire(l, now);
    uint32_t changed = *apic_reg(l, APIC_LVT_TIMER) ^ lvt;
    if (changed & LVT_TIMER_MODE)
        change_mode(l, now);
    *apic_reg(l, APIC_LVT_TIMER) = lvt;
    if (changed & LVT_TIMER_DEADLINE) { /* into or out of TSC-deadline mode disarms */
        *apic_reg(l, APIC_INITIAL_COUNT) = 0;
        l->due = VLAPIC_NEVER;
    }
    arm(l, now);
}

/* A deadline is an absolute TSC until it is written; from then on so much time is left of it. */
static void set_deadline(struct vlapic *l, uint64_t tsc, uint64_t now)
{
    l->start = now;
    l->due = tsc > now ? tsc - now : 0;
}

void vlapic_write_tsc_deadline(struct vlapic *l, uint64_t tsc, uint64_t now)
{
    if (timer_mode(l) != LVT_TIMER_DEADLINE)
        return;
    if (vlapic_timer_due(l, now))
        vlapic_expire(l, now);
    if (tsc == 0)
        l->due = VLAPIC_NEVER;
    else
        set_deadline(l, tsc, now);
}

uint64_t vlapic_read_tsc_deadline(const struct vlapic *l, uint64_t now)
{
    uint64_t left = vlapic_timer_left(l, now);
    if (timer_mode(l) != LVT_TIMER_DEADLINE || left == 0 || left == VLAPIC_NEVER)
        return 0;
    return l->start + l->due;
}

void vlapic_tsc_moved(struct vlapic *l, uint64_t now, uint64_t delta)
{
    vlapic_expire(l, now);
    if (timer_mode(l) != LVT_TIMER_DEADLINE)
        l->start += delta;
    else if (l->due != VLAPIC_NEVER)
        set_deadline(l, l->start + l->due, now + delta);
}
