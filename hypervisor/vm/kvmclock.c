/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/vm/kvmclock.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/vm/vm.h"

#define ENABLED     1
#define TSC_STABLE  1
#define NANOSECONDS 1000000000ULL

struct time_info {
    uint32_t version; /* odd while it is being changed; the vCPU does not run then */
    uint32_t padding;
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

bool kvmclock_update(struct vcpu *v)
{
    uint64_t msr = v->msr.file.value[MSR_SLOT_KVM_SYSTEM_TIME];
    struct kvmclock_scale scale = kvmclock_scale(tsc_khz());
    struct time_info info = {
        .version = 2, .multiplier = scale.multiplier, .shift = scale.shift, .flags = TSC_STABLE};

    return !(msr & ENABLED) || vm_write(v->vm, msr & ~(uint64_t)ENABLED, &info, sizeof(info));
}

bool kvmclock_write_wall(struct vcpu *v)
{
    const struct monitor_info *info = v->vm->info;
    struct kvmclock_scale scale = kvmclock_scale(tsc_khz());
    uint64_t tsc = rdtsc(), up = kvmclock_nanoseconds(scale, tsc + v->tsc_offset);
    uint64_t now =
        info->wall_seconds * NANOSECONDS + kvmclock_nanoseconds(scale, tsc - info->wall_tsc);
    /* Both as of now: when the host read its own clock, the guest's may not have begun. Without an
     * RTC it is 1970. */
    uint64_t start = now > up ? now - up : 0;
    struct wall_clock wall = {2, (uint32_t)(start / NANOSECONDS), (uint32_t)(start % NANOSECONDS)};

    return vm_write(v->vm, v->msr.file.value[MSR_SLOT_KVM_WALL_CLOCK], &wall, sizeof(wall));
}
