/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IA32_SPEC_CTRL (SDM volume 4, "Architectural MSRs"; Intel's "CPUID Enumeration and Architectural
 * MSRs"): what a guest may set of it, and what the CPU holds of it at all times.
 *
 * Each bit only restricts what the CPU predicts. So ring 0 need not have a value of its own: what
 * it needs set stays set while a guest runs, and an exit finds it so. That is what the control
 * "virtualize IA32_SPEC_CTRL" does with its mask, too; software does it as well, for a guest's
 * writes are rare, and has on each CPU what few could give.
 */
#pragma once

#include <stdint.h>

#include "lib/mitigations.h"

#define SPEC_CTRL_IBRS      0x1U
#define SPEC_CTRL_STIBP     0x2U
#define SPEC_CTRL_SSBD      0x4U
#define SPEC_CTRL_IPRED_DIS 0x18U /* for ring 3, for ring 0 */
#define SPEC_CTRL_RRSBA_DIS 0x60U /* likewise */
#define SPEC_CTRL_PSFD      0x80U
#define SPEC_CTRL_DDPD_U    0x100U
#define SPEC_CTRL_BHI_DIS_S 0x400U
#define SPEC_CTRL_BITS      0x5ffU /* all of these */

struct spec_ctrl {
    uint32_t settable; /* by a guest; 0: the CPU has no such MSR */
    uint32_t forced;   /* always set */
};

struct spec_ctrl spec_ctrl_of(const struct mitigation_facts *cpu);
