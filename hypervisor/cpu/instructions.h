/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of lib/instructions.h, and those that ring 0 alone uses. */
#pragma once

#include <stdint.h>

#include "hypervisor/cpu/registers.h"
#include "lib/instructions.h"
#include "lib/port.h"

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

static inline void read_breakpoints(uint64_t dr[4])
{
    dr[0] = read_dr0();
    dr[1] = read_dr1();
    dr[2] = read_dr2();
    dr[3] = read_dr3();
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

static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

/* Null into all that ring 3 can load and 64-bit mode does not use. */
static inline void clear_segments(void)
{
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
}

static inline void lldt(uint16_t selector)
{
    __asm__ volatile("lldt %0" : : "r"(selector));
}

/* Takes the interrupts that are pending; returns with interrupts off. */
static inline void interrupts_let_in(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}
