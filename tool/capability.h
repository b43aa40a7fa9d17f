/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict on a CPU's VT-x, from the table that the hypervisor's boot check uses. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "lib/vmx_caps.h"

/*
 * Reads this machine's capabilities through /dev/cpu/0/msr. Returns NULL, or why that cannot be:
 * `caps->cpuid_vmx` is valid in either case.
 */
const char *capability_read(struct vmx_caps *caps, struct mitigation_facts *flaws);

/* The verdict on a CPU: which controls it has, and which mitigations it needs, whether the firmware
 * lets VT-x be used, in words, and whether Lintel can run. */
struct capability {
    bool has[CONTROL_COUNT];
    bool mitigate[MITIGATION_ROWS];
    char permission[256];
    bool can_run;
};

void capability_judge(const struct vmx_caps *caps, const struct mitigation_facts *flaws,
                      struct capability *capability);

/* Reads the verdict out of what the hypervisor prints with its option caps; false: it is not
 * there. */
bool capability_parse(FILE *console, struct capability *capability);

/* One object, with lists of the controls and the mitigations; `cpu` is the emulated model's name,
 * or NULL. */
void capability_write_json(FILE *to, const char *cpu, const struct capability *capability);

/* Prints the tables of controls and mitigations, and the verdict. Returns whether Lintel can run on
 * such a CPU. */
bool capability_print(FILE *to, const struct vmx_caps *caps, const struct mitigation_facts *flaws);
