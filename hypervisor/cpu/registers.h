/* SPDX-License-Identifier: BSD-2-Clause */
/* Of MSRs, the debug registers and the CPUID leaves that the host asks about; lib/x86.h has what
 * the monitor looks at, too. */
#pragma once

#include "lib/msr.h"
#include "lib/x86.h"

#define MISC_ENABLE_LIMIT_CPUID 0x000400000ULL
#define MISC_ENABLE_XD_DISABLE  0x400000000ULL

#define TSX_CTRL_RTM_DISABLE 0x1ULL

enum memory_type {
    MEMORY_UNCACHEABLE = 0,
    MEMORY_WRITE_COMBINING = 1,
    MEMORY_WRITE_THROUGH = 4,
    MEMORY_WRITE_PROTECTED = 5,
    MEMORY_WRITE_BACK = 6,
    MEMORY_UNCACHED = 7, /* UC-: in the PAT only */
};

#define MTRR_DEF_TYPE_ENABLE 0x800ULL
#define MTRR_MASK_VALID      0x800ULL

#define PAT_RESET 0x0007040600070406ULL

#define DEBUGCTL_LBR 0x1ULL
#define DEBUGCTL_BTF 0x2ULL

#define DR6_BT    0x8000ULL
#define DR6_RESET 0xffff0ff0ULL

#define CPUID_1_ECX_X2APIC            0x00200000u
#define CPUID_1_ECX_TSC_DEADLINE      0x01000000u
#define CPUID_1_EDX_MTRR              0x00001000u
#define CPUID_7_EBX_TSC_ADJUST        0x00000002u
#define CPUID_7_EBX_SMEP              0x00000080u
#define CPUID_7_EBX_SMAP              0x00100000u
#define CPUID_7_ECX_UMIP              0x00000004u
#define CPUID_7_ECX_CET_SS            0x00000080u
#define CPUID_7_ECX_PKS               0x80000000u
#define CPUID_7_EDX_CET_IBT           0x00100000u
#define CPUID_D_1_EAX_XSAVES          0x00000008u
#define CPUID_7_1_EAX_MSRLIST         0x08000000u
#define CPUID_7_EDX_SPEC_CTRL         0x04000000u
#define CPUID_7_EDX_L1D_FLUSH         0x10000000u
#define CPUID_7_EDX_ARCH_CAPABILITIES 0x20000000u
#define CPUID_80000001_EDX_NX         0x00100000u
#define CPUID_80000001_EDX_RDTSCP     0x08000000u

/* MSRs, beside those of lib/msr.h, which test kernels use, too. */
#define MSR_IA32_TSX_CTRL   0x122
#define MSR_IA32_MCG_CAP    0x179
#define MSR_IA32_MCG_STATUS 0x17a
#define MSR_IA32_MCG_CTL    0x17b
#define MSR_IA32_MC0_CTL    0x400
#define MSR_IA32_MC0_STATUS 0x401
