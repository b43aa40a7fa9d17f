/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated processor: its MSRs, and what VM entries and exits do with the MSR areas. */
#pragma once

#include "tests/native/model/model.h"

struct sim_vmcs {
    uint32_t area_count;
    uint64_t field[MODEL_MSRS]; /* of those that entries load and exits save */
    struct msr_area_entry *guest_area, *host_area;
};

struct sim_cpu {
    uint64_t msr[MODEL_MSRS];
};

/* What the software may touch: the CPU that executes, and its current VMCS. */
struct sim {
    struct sim_cpu *cpu;
    struct sim_vmcs *vmcs;
    bool boots;                  /* the hypervisor starts: it knows nothing of what the MSRs hold */
    bool has_tsc_aux, is_modern; /* with CET, XSAVES and PKS */
    unsigned linear_width;
    unsigned reads, writes;
    const char *broken; /* the first invariant */
};

extern struct sim sim;

extern const uint32_t sim_index[MODEL_MSRS];
extern const uint64_t sim_values[MODEL_MSRS][VALUES];

/* Which value it is; one that nobody has ever written breaks the invariant "known-values". */
uint8_t sim_value(unsigned msr, uint64_t value);

void sim_break(const char *invariant);

/* Whether the CPU has the MSR; each VM entry loads it from the VMCS, and each exit saves it there;
 * and the guest changes it without an exit. */
bool sim_has(unsigned msr);
bool sim_in_vmcs(unsigned msr);
bool sim_unseen(unsigned msr);

/* Whether a processor with linear addresses of so many bits refuses a value: #GP, or a VM entry
 * that fails. */
bool sim_refuses(unsigned msr, uint64_t value, unsigned linear_width);

/* What INIT does to an MSR that had this value (SDM volume 3, "Processor State After Reset"). */
uint64_t sim_after_init(unsigned msr, uint64_t value);

void sim_entry(void);
void sim_exit(void);
