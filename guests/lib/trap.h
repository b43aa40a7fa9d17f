/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that may fault: each try_ function runs one and returns the exception that it
 * raised.
 *
 * TRY puts an instruction into the list of places where an exception is expected; the kernel goes
 * on behind the instruction, with all registers as the exception left them.
 */
#pragma once

#include <stdint.h>

#include "guests/lib/tap.h"

#define NO_TRAP UINT32_MAX

struct trap {
    uint32_t vector; /* or NO_TRAP */
    uint32_t error_code;
    uint64_t rip, cr2;
};

/* The last exception that met a TRY. */
extern struct trap trap_taken;

#define TRY(instruction)                                                                           \
    "1: " instruction "\n2:\n"                                                                     \
    ".pushsection .fixups, \"a\"\n.quad 1b, 2b\n.popsection\n"

/* The same with a statement around it: TRY_ASM(trap, "rdmsr", outputs : inputs). */
#define TRY_ASM(instruction, ...)                                                                  \
    ({                                                                                             \
        trap_taken.vector = NO_TRAP;                                                               \
        __asm__ volatile(TRY(instruction) : __VA_ARGS__ : "memory", "cc");                         \
        *(volatile struct trap *)&trap_taken;                                                      \
    })

/* EDX:EAX are *value before, and become *value after. */
static inline struct trap try_rdmsr(uint32_t index, uint64_t *value)
{
    uint32_t low = (uint32_t)*value, high = (uint32_t)(*value >> 32);
    struct trap trap = TRY_ASM("rdmsr", "+a"(low), "+d"(high) : "c"(index));

    *value = (uint64_t)high << 32 | low;
    return trap;
}

static inline struct trap try_wrmsr(uint32_t index, uint64_t value)
{
    return TRY_ASM("wrmsr", : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline struct trap try_xsetbv(uint32_t index, uint64_t value)
{
    return TRY_ASM("xsetbv", : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

#define TRY_WRITE(name)                                                                            \
    static inline struct trap try_write_##name(uint64_t value)                                     \
    {                                                                                              \
        return TRY_ASM("movq %0, %%" #name, : "r"(value));                                         \
    }

TRY_WRITE(cr0)
TRY_WRITE(cr3)
TRY_WRITE(cr4)
TRY_WRITE(cr8)
TRY_WRITE(dr6)
TRY_WRITE(dr7)

static inline struct trap try_load(const void *address, uint32_t *value)
{
    return TRY_ASM("movl %1, %0", "+r"(*value) : "m"(*(const uint32_t *)address));
}

static inline struct trap try_store(void *address, uint32_t value)
{
    return TRY_ASM("movl %1, %0", "=m"(*(uint32_t *)address) : "r"(value));
}

/* The test that an exception is the expected one. */
bool is_trap(struct trap trap, uint32_t vector, uint32_t error_code, const char *fmt, ...)
    PRINTF_LIKE(4);
bool is_no_trap(struct trap trap, const char *fmt, ...) PRINTF_LIKE(2);
