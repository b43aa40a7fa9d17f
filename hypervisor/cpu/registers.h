/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of the control registers, RFLAGS, EFER, the debug registers and of the CPUID leaves that the
 * host asks about. */
#ifndef CPU_REGISTERS_H
#define CPU_REGISTERS_H

#define CR0_PE 0x00000001ULL
#define CR0_MP 0x00000002ULL
#define CR0_TS 0x00000008ULL
#define CR0_ET 0x00000010ULL
#define CR0_NE 0x00000020ULL
#define CR0_WP 0x00010000ULL
#define CR0_AM 0x00040000ULL
#define CR0_NW 0x20000000ULL
#define CR0_CD 0x40000000ULL
#define CR0_PG 0x80000000ULL

#define CR4_PSE        0x00000010ULL
#define CR4_PAE        0x00000020ULL
#define CR4_MCE        0x00000040ULL
#define CR4_PGE        0x00000080ULL
#define CR4_OSFXSR     0x00000200ULL
#define CR4_OSXMMEXCPT 0x00000400ULL
#define CR4_UMIP       0x00000800ULL
#define CR4_VMXE       0x00002000ULL
#define CR4_PCIDE      0x00020000ULL
#define CR4_OSXSAVE    0x00040000ULL
#define CR4_SMEP       0x00100000ULL
#define CR4_SMAP       0x00200000ULL
#define CR4_PKE        0x00400000ULL
#define CR4_CET        0x00800000ULL
#define CR4_PKS        0x01000000ULL

#define EFER_SCE 0x001ULL
#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL
#define EFER_NXE 0x800ULL

#define MISC_ENABLE_LIMIT_CPUID 0x000400000ULL
#define MISC_ENABLE_XD_DISABLE  0x400000000ULL

#define TSX_CTRL_RTM_DISABLE 0x1ULL

#define PAT_RESET 0x0007040600070406ULL

#define RFLAGS_FIXED 0x000002ULL
#define RFLAGS_TF    0x000100ULL
#define RFLAGS_IF    0x000200ULL
#define RFLAGS_RF    0x010000ULL
#define RFLAGS_VM    0x020000ULL
#define RFLAGS_ALL   0x3f7fd7ULL /* every bit that is not reserved */

#define DEBUGCTL_LBR 0x1ULL
#define DEBUGCTL_BTF 0x2ULL

#define DR6_BT    0x8000ULL
#define DR6_RESET 0xffff0ff0ULL
#define DR7_RESET 0x00000400ULL

#define CPUID_1_ECX_X2APIC            0x00200000u
#define CPUID_1_ECX_TSC_DEADLINE      0x01000000u
#define CPUID_1_ECX_XSAVE             0x04000000u
#define CPUID_1_EDX_MTRR              0x00001000u
#define CPUID_7_EBX_TSC_ADJUST        0x00000002u
#define CPUID_7_EBX_SMEP              0x00000080u
#define CPUID_7_EBX_RTM               0x00000800u
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

/* The host's own MSRs: IA32_ names of SDM volume 4. */
#define MSR_IA32_APIC_BASE         0x01b
#define MSR_IA32_FEATURE_CONTROL   0x03a
#define MSR_IA32_PRED_CMD          0x049
#define MSR_IA32_TSC_ADJUST        0x03b
#define MSR_IA32_BIOS_SIGN_ID      0x08b
#define MSR_IA32_MTRRCAP           0x0fe
#define MSR_IA32_ARCH_CAPABILITIES 0x10a
#define MSR_IA32_TSX_CTRL          0x122
#define MSR_IA32_SYSENTER_CS       0x174
#define MSR_IA32_SYSENTER_ESP      0x175
#define MSR_IA32_SYSENTER_EIP      0x176
#define MSR_IA32_MCG_CAP           0x179
#define MSR_IA32_MCG_STATUS        0x17a
#define MSR_IA32_MCG_CTL           0x17b
#define MSR_IA32_MISC_ENABLE       0x1a0
#define MSR_IA32_MTRR_PHYSBASE0    0x200
#define MSR_IA32_MTRR_PHYSMASK0    0x201
#define MSR_IA32_PAT               0x277
#define MSR_IA32_MTRR_DEF_TYPE     0x2ff
#define MSR_IA32_MC0_CTL           0x400
#define MSR_IA32_MC0_STATUS        0x401
#define MSR_IA32_TSC_DEADLINE      0x6e0
#define MSR_IA32_X2APIC            0x800
#define MSR_IA32_EFER              0xc0000080

#endif
