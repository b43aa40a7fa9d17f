/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/kvmclock.h"

#include "lib/string.h"

#define TSC_STABLE  1
#define NANOSECONDS 1000000000ULL

struct time_info {
    uint32_t version, padding;
    uint64_t tsc_timestamp;
    uint64_t system_time;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags;
    uint8_t padding2[2];
};
_Static_assert(sizeof(struct time_info) == CLOCK_SYSTEM_TIME_SIZE, "the guest's layout");

struct wall_clock {
    uint32_t version, seconds, nanoseconds;
};
_Static_assert(sizeof(struct wall_clock) == CLOCK_WALL_CLOCK_SIZE, "the guest's layout");

static struct kvmclock_scale scale_of(uint64_t tsc_khz)
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

static uint64_t nanoseconds(struct kvmclock_scale scale, uint64_t ticks)
{
    ticks = scale.shift >= 0 ? ticks << scale.shift : ticks >> -scale.shift;
    return (uint64_t)((unsigned __int128)ticks * scale.multiplier >> 32);
}

void kvmclock_init(struct kvmclock *k, uint64_t tsc_khz, uint64_t seconds, uint64_t tsc)
{
    uint64_t now = seconds * NANOSECONDS;

    *k = (struct kvmclock){.scale = scale_of(tsc_khz)};
    uint64_t up = nanoseconds(k->scale, tsc);
    k->start = now > up ? now - up : 0;
}

/* Odd while the record changes. Both begin with the version. */
static void publish(struct kvmclock *k, const struct guest_memory *memory, uint64_t gpa,
                    const void *record, uint64_t size)
{
    uint8_t *at = guest_memory_at(memory, gpa, size);
    uint32_t changing = k->version + 1;

    if (at == NULL)
        return;
    k->version += 2;
    memcpy(at, &changing, sizeof(changing));
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memcpy(at + sizeof(changing), (const uint8_t *)record + sizeof(changing),
           size - sizeof(changing));
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memcpy(at, &k->version, sizeof(k->version));
}

void kvmclock_events(struct kvmclock *k, const struct guest_memory *memory, uint64_t events,
                     const struct exit_clock *clock)
{
    /* The time since the host's TSC was 0, whatever the guest makes of its own. */
    const struct time_info time = {.tsc_timestamp = clock->tsc_offset,
                                   .multiplier = k->scale.multiplier,
                                   .shift = k->scale.shift,
                                   .flags = TSC_STABLE};
    const struct wall_clock wall = {0, (uint32_t)(k->start / NANOSECONDS),
                                    (uint32_t)(k->start % NANOSECONDS)};

    if (events & EVENT_CLOCK && clock->system_time & CLOCK_ENABLED)
        publish(k, memory, clock->system_time - CLOCK_ENABLED, &time, sizeof(time));
    if (events & EVENT_WALL_CLOCK)
        publish(k, memory, clock->wall_clock, &wall, sizeof(wall));
}
