/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM-entry MSR-load, VM-exit MSR-store and VM-exit MSR-load areas of one vCPU (R26, R29; SDM
 * volume 3, "VM-Exit Controls for MSRs").
 */
#pragma once

#include "hypervisor/msr/msr.h"

/* The areas are 16-byte aligned (R26). */
struct msr_area_entry {
    uint32_t index, reserved;
    uint64_t value;
} __attribute__((aligned(16)));

_Static_assert(MSR_ROW_COUNT <= 512, "R26: what each CPU's IA32_VMX_MISC recommends at least");

struct msr_areas {
    uint32_t count;
    struct msr_area_entry *guest; /* loaded at an entry, stored into at an exit */
    struct msr_area_entry *host;  /* loaded at an exit, the same MSRs in the same order */
};

/*
 * Lists those of a set, the same each time, in which guest and host differ or may (MSR_UNSEEN). The
 * guest's values in changed are new; what it has else changed since the last time without an exit
 * is taken over first.
 */
void msr_area_build(struct msr_areas *areas, uint64_t set, uint64_t changed, struct msr_file *guest,
                    const struct msr_file *host);
