/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes what CPUID tells the guest (R24, R21, R46) from the host's own answers and
 * monitor/cpuid.def.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/cpuid.h"

struct cpuid_config {
    uint32_t tsc_khz; /* of the guest's TSC, measured */
    bool tsc_exact;   /* to a few ppm: a guest need not calibrate */
    uint32_t vcpus;   /* APIC ids are 0 .. vcpus - 1 */
    uint64_t
        xcr0;     /* what the hypervisor switches; the host's CPUID and the policy take bits away */
    uint64_t xss; /* likewise, of IA32_XSS: the states of CET, or 0 */
    bool rdtscp;  /* the VMX control "enable RDTSCP" is set; RDPID goes with it */
    bool invpcid; /* the VMX control "enable INVPCID" is set */
    bool pks;     /* the VMX control "load PKRS" is set */
};

/* The host's CPUID, read by the caller. */
typedef void cpuid_host(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* Makes the table of a VM. */
void cpuid_build(struct cpuid_table *table, cpuid_host *host, const struct cpuid_config *config);
