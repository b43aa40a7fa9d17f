/* SPDX-License-Identifier: BSD-2-Clause */
/* One inline function for each privileged or unusual instruction that ring 0 and test kernels use.
 * Nothing here decides anything. */
#pragma once

#include <stdint.h>

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

/* What LGDT, LIDT take and SGDT, SIDT store. */
struct descriptor_table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* The operand of an instruction that takes 64 bits in EDX:EAX. */
#define IN_EDX_EAX(value) "a"((uint32_t)(value)), "d"((uint32_t)((value) >> 32))

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t rdmsr(uint32_t index)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" : : IN_EDX_EAX(value), "c"(index) : "memory");
}

#define CONTROL_REGISTER(name)                                                                     \
    static inline uint64_t read_##name(void)                                                       \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");                        \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_##name(uint64_t value)                                                \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                            \
    }

CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
CONTROL_REGISTER(dr0)
CONTROL_REGISTER(dr1)
CONTROL_REGISTER(dr2)
CONTROL_REGISTER(dr3)
CONTROL_REGISTER(dr6)
CONTROL_REGISTER(dr7)

static inline void clts(void)
{
    __asm__ volatile("clts");
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
    __asm__ volatile("xsetbv" : : IN_EDX_EAX(value), "c"(index));
}

/* Area: 64-byte aligned, CPUID.0DH.0:EBX bytes for the components in mask. */
static inline void xsave(void *area, uint64_t mask)
{
    __asm__ volatile("xsave64 (%0)" : : "r"(area), IN_EDX_EAX(mask) : "memory");
}

static inline void xrstor(const void *area, uint64_t mask)
{
    __asm__ volatile("xrstor64 (%0)" : : "r"(area), IN_EDX_EAX(mask) : "memory");
}

/* Area: 16-byte aligned, 512 bytes. */
static inline void fxsave(void *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

static inline void invlpg(uint64_t linear)
{
    __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

static inline void lgdt(const struct descriptor_table *table)
{
    __asm__ volatile("lgdt %0" : : "m"(*table));
}

static inline void lidt(const struct descriptor_table *table)
{
    __asm__ volatile("lidt %0" : : "m"(*table));
}

static inline void ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Sleeps until an interrupt, with no gap between the two; returns with interrupts off. */
static inline void sti_hlt_cli(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}
