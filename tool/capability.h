/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict on a CPU's VT-x, from the table that the hypervisor's boot check uses. */
#ifndef TOOL_CAPABILITY_H
#define TOOL_CAPABILITY_H

#include <stdbool.h>
#include <stdio.h>

#include "hypervisor/vmx/caps.h"

/*
 * Reads this machine's capabilities through /dev/cpu/0/msr. Returns NULL, or why that cannot be:
 * `caps->cpuid_vmx` is valid in either case.
 */
const char *capability_read(struct vmx_caps *caps);

/* Prints the table of controls and the verdict. Returns whether Lintel can run on such a CPU. */
bool capability_print(FILE *to, const struct vmx_caps *caps);

#endif
