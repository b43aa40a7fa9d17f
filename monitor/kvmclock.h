/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual clock, as Linux's Documentation/virt/kvm/x86/msr.rst describes it: records in
 * guest memory, from which a guest makes the time out of its TSC. Ring 0 answers for the MSRs that
 * say where they are, and tells when one is to be written. The TSC never changes its rate: a record
 * is written when the guest asks for it, and when its TSC jumps.
 */
#pragma once

#include <stdint.h>

#include "abi/exit.h"
#include "monitor/guest_memory.h"

/* How to make nanoseconds of TSC ticks: ((ticks << shift) * multiplier) >> 32; a negative shift
 * goes right. */
struct kvmclock_scale {
    uint32_t multiplier;
    int8_t shift;
};

struct kvmclock {
    struct kvmclock_scale scale;
    uint64_t start;   /* ns since 1970 when the host's TSC was 0; 0: nobody knows */
    uint32_t version; /* of the last record, even */
};

/* It was `seconds` (UTC since 1970) when the host's TSC read `tsc`; 0: nobody knows. */
void kvmclock_init(struct kvmclock *k, uint64_t tsc_khz, uint64_t seconds, uint64_t tsc);

/* Writes what EVENT_CLOCK and EVENT_WALL_CLOCK among `events` ask for. */
void kvmclock_events(struct kvmclock *k, const struct guest_memory *memory, uint64_t events,
                     const struct exit_clock *clock);
