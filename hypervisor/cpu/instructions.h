/* SPDX-License-Identifier: BSD-2-Clause */
/* One inline function for each privileged or unusual instruction. Nothing here decides anything. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/registers.h"
#include "lib/port.h"

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

/* RDMSR and WRMSR of those of up to 64 MSRs that a set names (SDM volume 2, "RDMSRLIST",
 * "WRMSRLIST"), which assemblers have not all heard of. An interrupt may divide them: the set is
 * then what remains. */
static inline void rdmsrlist(const uint64_t *index, uint64_t *value, uint64_t set)
{
    __asm__ volatile(".byte 0xf2, 0x0f, 0x01, 0xc6"
                     : "+c"(set)
                     : "S"(index), "D"(value)
                     : "memory");
}

static inline void wrmsrlist(const uint64_t *index, const uint64_t *value, uint64_t set)
{
    __asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xc6"
                     : "+c"(set)
                     : "S"(index), "D"(value)
                     : "memory");
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" : : IN_EDX_EAX(value), "c"(index) : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Not before what has been read is known: another CPU's word that it is time. */
static inline uint64_t rdtsc_after_loads(void)
{
    __asm__ volatile("lfence" : : : "memory");
    return rdtsc();
}

/* A register of a device in memory. */
static inline uint32_t mmio_read(const volatile uint32_t *reg)
{
    return *reg;
}

static inline void mmio_write(volatile uint32_t *reg, uint32_t value)
{
    *reg = value;
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

static inline void read_breakpoints(uint64_t dr[4])
{
    dr[0] = read_dr0();
    dr[1] = read_dr1();
    dr[2] = read_dr2();
    dr[3] = read_dr3();
}

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

/* RDPKRU is #UD without CR4.PKE. With it a guest's keys hold for the host's user pages, of which
 * nothing is touched meanwhile. */
static inline uint32_t read_pkru(void)
{
    uint64_t cr4 = read_cr4();
    uint32_t pkru;

    write_cr4(cr4 | CR4_PKE);
    __asm__ volatile("rdpkru" : "=a"(pkru) : "c"(0) : "rdx", "memory");
    write_cr4(cr4);
    return pkru;
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

static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
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

/* Null into all that ring 3 can load and 64-bit mode does not use. */
static inline void clear_segments(void)
{
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
}

static inline void ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void lldt(uint16_t selector)
{
    __asm__ volatile("lldt %0" : : "r"(selector));
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Takes the interrupts that are pending; returns with interrupts off. */
static inline void interrupts_let_in(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

/* Sleeps until an interrupt, with no gap between the two; returns with interrupts off. */
static inline void sti_hlt_cli(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}
