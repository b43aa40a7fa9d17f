/* SPDX-License-Identifier: BSD-2-Clause */
/* The decisions of vmx/inject.c, taken from and put into the current VMCS. */
#pragma once

#include "hypervisor/vm/vcpu.h"
#include "hypervisor/vmx/inject.h"

/* What the exit interrupted during its delivery is injected again (R15). */
void event_fields_resume(struct vcpu *v);

/* The exception that exited goes to the guest (R14, R15); may find a triple fault
 * and not return. */
void event_fields_reflect(struct vcpu *v);
