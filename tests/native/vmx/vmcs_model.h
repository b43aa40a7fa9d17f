/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests: a VMCS in memory, the capabilities of real CPUs, and guests that a CPU would enter. */
#pragma once

#include "lib/vmcs.h"
#include "lib/vmx_caps.h"
#include "monitor/entry/checks.h"

struct vmcs_model {
    struct vmcs_values values;
};

/* As they were read from the machines: Core i7-8700K (Coffee Lake), Core i7-3770 (Ivy Bridge). */
extern const struct vmx_caps coffee_lake, ivy_bridge;

void model_write(struct vmcs_model *model, enum vmcs_field field, uint64_t value);
uint64_t model_read(const struct vmcs_model *model, enum vmcs_field field);

/* Each is a VMCS, but for the host's fields, with which Coffee Lake enters the guest. */
void model_long_mode(struct vmcs_model *model);
void model_real_mode(struct vmcs_model *model);
void model_pae_mode(struct vmcs_model *model);
void model_virtual_8086(struct vmcs_model *model);
