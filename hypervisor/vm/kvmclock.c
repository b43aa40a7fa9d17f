/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/kvmclock.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/vm/vm.h"

#define ENABLED     1
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
_Static_assert(sizeof(struct time_info) == 32, "the guest's layout");

struct wall_clock {
    uint32_t version, seconds, nanoseconds;
};

/* Odd while the record changes. False, with nothing written: it does not lie in guest memory. */
static bool publish(struct vcpu *v, uint64_t gpa, void *record, uint64_t size)
{
    uint32_t *version = record; /* both records begin with it */

    *version = v->clock_version + 1;
    if (!vm_write(v->vm, gpa, record, size))
        return false;
    v->clock_version += 2;
    return vm_write(v->vm, gpa, &v->clock_version, sizeof(v->clock_version));
}

bool kvmclock_write_time(struct vcpu *v, uint64_t msr)
{
    struct kvmclock_scale scale = kvmclock_scale(tsc_khz());
    /* The time since the host's TSC was 0, whatever the guest makes of its own. */
    struct time_info info = {.tsc_timestamp = v->tsc_offset,
                             .multiplier = scale.multiplier,
                             .shift = scale.shift,
                             .flags = TSC_STABLE};

    return !(msr & ENABLED) || publish(v, msr & ~(uint64_t)ENABLED, &info, sizeof(info));
}

bool kvmclock_write_wall(struct vcpu *v, uint64_t msr)
{
    const struct monitor_info *info = v->vm->info;
    struct kvmclock_scale scale = kvmclock_scale(tsc_khz());
    uint64_t tsc = rdtsc(), up = kvmclock_nanoseconds(scale, tsc);
    uint64_t now =
        info->wall_seconds * NANOSECONDS + kvmclock_nanoseconds(scale, tsc - info->wall_tsc);
    /* Without an RTC it is 1970. */
    uint64_t start = now > up ? now - up : 0;
    struct wall_clock wall = {0, (uint32_t)(start / NANOSECONDS), (uint32_t)(start % NANOSECONDS)};

    return publish(v, msr, &wall, sizeof(wall));
}
