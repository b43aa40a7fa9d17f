/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions and registers by name, for code that expects no exception. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bits.h"
#include "lib/instructions.h"
#include "lib/msr.h"
#include "lib/port.h"

#define CR0_MP         BIT(1)
#define CR0_EM         BIT(2)
#define CR0_TS         BIT(3)
#define CR0_NE         BIT(5)
#define CR0_WP         BIT(16)
#define CR0_AM         BIT(18)
#define CR0_NW         BIT(29)
#define CR0_CD         BIT(30)
#define CR0_PG         BIT(31)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PAE        BIT(5)
#define CR4_PGE        BIT(7)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_VMXE       BIT(13)
#define CR4_FSGSBASE   BIT(16)
#define CR4_OSXSAVE    BIT(18)

#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define MSR_IA32_TSC            0x10
#define MSR_IA32_STAR           0xc0000081
#define MSR_IA32_LSTAR          0xc0000082
#define MSR_IA32_CSTAR          0xc0000083
#define MSR_IA32_FMASK          0xc0000084
#define MSR_IA32_FS_BASE        0xc0000100
#define MSR_IA32_GS_BASE        0xc0000101
#define MSR_IA32_KERNEL_GS_BASE 0xc0000102
#define MSR_IA32_TSC_AUX        0xc0000103

#define VECTOR_DE 0
#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_NM 7
#define VECTOR_DF 8
#define VECTOR_TS 10
#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14
#define VECTOR_AC 17

/* CPUID.1:ECX[31]: what only Lintel promises is skipped where it is clear. */
static inline bool has_hypervisor(void)
{
    return cpuid(1, 0).ecx >> 31 & 1;
}

/* KVM's MSRs 4b564d00h and 4b564d01h. */
static inline bool has_kvmclock(void)
{
    return has_hypervisor() && cpuid(0x40000001, 0).eax >> 3 & 1;
}

static inline bool has_x2apic(void)
{
    return cpuid(1, 0).ecx >> 21 & 1;
}

static inline bool has_tsc_deadline(void)
{
    return cpuid(1, 0).ecx >> 24 & 1;
}

static inline bool has_tsc_adjust(void)
{
    return cpuid(7, 0).ebx >> 1 & 1;
}

static inline bool has_xsave(void)
{
    return cpuid(1, 0).ecx >> 26 & 1;
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

CONTROL_REGISTER(cr8)

static inline void interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}
