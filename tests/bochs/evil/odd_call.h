/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls as no compiler would make them, and what else monitors and other processes do alike. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RFLAGS_TF   (1ULL << 8)
#define RFLAGS_DF   (1ULL << 10)
#define RFLAGS_IOPL (3ULL << 12)
#define RFLAGS_NT   (1ULL << 14)
#define RFLAGS_AC   (1ULL << 18)

struct odd_call {
    uint64_t number, a, b, c;
    uint64_t flags; /* RFLAGS at the call */
    uint64_t high;  /* SYSENTER: these bits are added to the return address and the stack pointer */
    uint64_t registers; /* in RBX and R12 to R15 */
    bool other_gate;    /* by the instruction that this hypervisor does not answer */
};

int64_t odd_call(const struct odd_call *call);

/* How many descriptors ring 3 can use behind the GDT; or UINT32_MAX where it does not even find its
 * own data segment. */
uint32_t descriptors_behind_gdt(void);

/* DS, ES, FS and GS get ring 3's data segment. */
void load_segments(void);

/* Calls itself until the stack has no room. */
void overflow_stack(void);
