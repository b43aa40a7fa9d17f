/* SPDX-License-Identifier: BSD-2-Clause */
/* The architecture's bits and numbers that ring 0 and the monitor or the tool look at, by the SDM's
 * names. */
#pragma once

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

#define CR4_DE         0x00000008ULL
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

#define RFLAGS_FIXED 0x000002ULL /* always set */
#define RFLAGS_TF    0x000100ULL
#define RFLAGS_IF    0x000200ULL
#define RFLAGS_DF    0x000400ULL
#define RFLAGS_NT    0x004000ULL
#define RFLAGS_RF    0x010000ULL
#define RFLAGS_VM    0x020000ULL
#define RFLAGS_AC    0x040000ULL
#define RFLAGS_ALL   0x3f7fd7ULL /* every bit that is not reserved */

/* An entry of a paging structure. */
#define ENTRY_P         0x001ULL
#define ENTRY_RW        0x002ULL
#define ENTRY_US        0x004ULL
#define ENTRY_PWT       0x008ULL
#define ENTRY_PCD       0x010ULL
#define ENTRY_A         0x020ULL
#define ENTRY_D         0x040ULL
#define ENTRY_PS        0x080ULL
#define ENTRY_G         0x100ULL
#define ENTRY_AVAILABLE 0x200ULL /* the CPU does not look at it */
#define ENTRY_ADDRESS   0x000ffffffffff000ULL
#define ENTRY_XD        0x8000000000000000ULL

#define PDPTE_RESERVED 0x1e6ULL /* of PAE paging, below the address */

#define XCR0_X87    0x001ULL
#define XCR0_SSE    0x002ULL
#define XCR0_AVX    0x004ULL
#define XCR0_AVX512 0x0e0ULL /* its three components */
#define XCR0_PKRU   0x200ULL

#define DR7_RESET 0x400ULL

/* CPUID leaf 1. */
#define CPUID_1_ECX_VMX   0x00000020u
#define CPUID_1_ECX_XSAVE 0x04000000u
/* Leaf 7. */
#define CPUID_7_EBX_RTM 0x00000800u

/* The vectors of exceptions: SDM volume 3, "Exception and Interrupt Vectors". */
enum exception_vector {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_OF = 4,
    VECTOR_BR = 5,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_TS = 10,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_AC = 17,
    VECTOR_MC = 18,
    VECTOR_XM = 19,
    VECTOR_VE = 20,
    VECTOR_CP = 21,
};
