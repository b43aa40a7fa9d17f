/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions and registers by name, for code that expects no exception. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/bits.h"
#include "lib/instructions.h"
#include "lib/msr.h"
#include "lib/port.h"
#include "lib/x86.h"

#define CR0_EM       BIT(2)
#define CR4_TSD      BIT(2)
#define CR4_FSGSBASE BIT(16)

#define MSR_IA32_TSC            0x10
#define MSR_IA32_STAR           0xc0000081
#define MSR_IA32_LSTAR          0xc0000082
#define MSR_IA32_CSTAR          0xc0000083
#define MSR_IA32_FMASK          0xc0000084
#define MSR_IA32_FS_BASE        0xc0000100
#define MSR_IA32_GS_BASE        0xc0000101
#define MSR_IA32_KERNEL_GS_BASE 0xc0000102
#define MSR_IA32_TSC_AUX        0xc0000103

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
