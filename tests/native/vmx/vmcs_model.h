/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests: a VMCS in memory, the capabilities of real CPUs, and guests that a CPU would enter. */
#ifndef TEST_VMCS_MODEL_H
#define TEST_VMCS_MODEL_H

#include "hypervisor/vmx/caps.h"
#include "hypervisor/vmx/entry_checks.h"
#include "hypervisor/vmx/vmcs.h"

struct vmcs_model {
    uint64_t fields[VMCS_FIELD_COUNT];
    struct vmx_caps caps;
    struct vmcs_view view;
};

/* As they were read from the machines: Core i7-8700K (Coffee Lake), Core i7-3770 (Ivy Bridge). */
extern const struct vmx_caps coffee_lake, ivy_bridge;

void model_write(struct vmcs_model *model, enum vmcs_field field, uint64_t value);
uint64_t model_read(const struct vmcs_model *model, enum vmcs_field field);

/* Each is a whole VMCS with which Coffee Lake enters the guest. The model must
 * not move afterwards. */
void model_long_mode(struct vmcs_model *model);
void model_real_mode(struct vmcs_model *model);
void model_pae_mode(struct vmcs_model *model);
void model_virtual_8086(struct vmcs_model *model);

#endif
