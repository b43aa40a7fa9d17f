/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated processor: its MSRs, and what VM entries and exits do with the MSR areas. */
#ifndef MODEL_HARDWARE_H
#define MODEL_HARDWARE_H

#include "tests/native/model/model.h"

struct sim_vmcs {
    uint32_t area_count;
    struct msr_area_entry *guest_area, *host_area;
};

struct sim_cpu {
    uint64_t msr[MODEL_MSRS];
};

/* What the software may touch: the CPU that executes, and its current VMCS. */
struct sim {
    struct sim_cpu *cpu;
    struct sim_vmcs *vmcs;
    bool boots; /* the hypervisor starts: it knows nothing of what the MSRs hold */
    bool has_tsc_aux;
    unsigned reads, writes;
    const char *broken; /* the first invariant */
};

extern struct sim sim;

extern const uint32_t sim_index[MODEL_MSRS];
extern const uint64_t sim_values[MODEL_MSRS][VALUES];

/* Which value it is; one that nobody has ever written breaks the invariant "known-values". */
uint8_t sim_value(unsigned msr, uint64_t value);

void sim_break(const char *invariant);

/* Whether the processor refuses a value: #GP, or a VM entry that fails. */
bool sim_refuses(unsigned msr, uint64_t value);

void sim_entry(void);
void sim_exit(void);

#endif
