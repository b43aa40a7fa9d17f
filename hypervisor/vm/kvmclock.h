/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's paravirtual clock, as Linux's Documentation/virt/kvm/x86/msr.rst describes it. */
#ifndef VM_KVMCLOCK_H
#define VM_KVMCLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* How to make nanoseconds of TSC ticks: ((ticks << shift) * multiplier) >> 32; a negative shift
 * goes right. Pure. */
struct kvmclock_scale {
    uint32_t multiplier;
    int8_t shift;
};
struct kvmclock_scale kvmclock_scale(uint64_t tsc_khz);
uint64_t kvmclock_nanoseconds(struct kvmclock_scale scale, uint64_t ticks);

/*
 * Writes the time structure to where a value of MSR_KVM_SYSTEM_TIME_NEW says, if it enables the
 * clock. The TSC never changes its rate, so once for each write of the MSR, and when the guest's
 * TSC jumps. False: it does not lie in guest memory, of which nothing has changed.
 */
bool kvmclock_write_time(struct vcpu *v, uint64_t msr);

/* Writes the wall-clock time at which the guest's clock read 0 to where MSR_KVM_WALL_CLOCK_NEW
 * says. False as above. */
bool kvmclock_write_wall(struct vcpu *v, uint64_t msr);

#endif
