/* SPDX-License-Identifier: BSD-2-Clause */
/* What the model consists of: for model.c, which changes it, and state.c, which saves and restores
 * it. */
#pragma once

#include "tests/native/model/hardware.h"

struct model_cpu {
    struct sim_cpu hardware;
    struct msr_cpu software;
    uint8_t place, vcpu;
};

struct model_vcpu {
    struct msr_context context;
    struct sim_vmcs vmcs;
    struct msr_area_entry area[2][MODEL_MSRS];
    uint64_t expected[MODEL_MSRS]; /* what the guest must read: its own last values */
    uint64_t gs_base;              /* SWAPGS's other half */
    uint32_t features;
    uint8_t home; /* the CPU where it ran last */
};

extern struct model_cpu model_cpus[MODEL_CPUS];
extern struct model_vcpu model_vcpus[MODEL_VCPUS];
extern struct msr_context *model_nobody; /* whose a CPU is before it is a vCPU's */
/* Those that the CPUs have: no others change. */
extern uint8_t model_msr_list[MODEL_MSRS];
extern unsigned model_msr_count;

extern const struct msr_row *const model_rows[MODEL_MSRS];
