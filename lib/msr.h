/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of MSRs, by the IA32_ names of SDM volume 4. */
#pragma once

#define MSR_IA32_APIC_BASE         0x01b
#define MSR_IA32_FEATURE_CONTROL   0x03a
#define MSR_IA32_TSC_ADJUST        0x03b
#define MSR_IA32_PRED_CMD          0x049
#define MSR_IA32_BIOS_SIGN_ID      0x08b
#define MSR_IA32_MTRRCAP           0x0fe
#define MSR_IA32_ARCH_CAPABILITIES 0x10a
#define MSR_IA32_SYSENTER_CS       0x174
#define MSR_IA32_SYSENTER_ESP      0x175
#define MSR_IA32_SYSENTER_EIP      0x176
#define MSR_IA32_MISC_ENABLE       0x1a0
#define MSR_IA32_MTRR_PHYSBASE0    0x200
#define MSR_IA32_MTRR_PHYSMASK0    0x201
#define MSR_IA32_PAT               0x277
#define MSR_IA32_MTRR_DEF_TYPE     0x2ff
#define MSR_IA32_TSC_DEADLINE      0x6e0
#define MSR_IA32_X2APIC            0x800
#define MSR_IA32_EFER              0xc0000080
