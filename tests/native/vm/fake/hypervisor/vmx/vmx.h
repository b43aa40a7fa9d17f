/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's header, but for VMREAD, which the test answers. */
#pragma once

#define vmread vmread_instruction
#include "../../../../../../hypervisor/vmx/vmx.h"
#undef vmread

uint64_t vmread(enum vmcs_field field);
