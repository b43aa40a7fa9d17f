/* SPDX-License-Identifier: BSD-2-Clause */
/* A call of abi/gate.h as an instruction: the one that the hypervisor says it answers. */
#pragma once

#include <stdint.h>

#include "abi/gate.h"

/* What the info page says; set by a program's entry before its first call. */
extern enum gate_entry gate_entry;

/* The channels that gate_notify was called for, and a monitor's message (GATE_WITH_MESSAGE): what
 * the next call that gives the CPU up takes. */
extern uint64_t gate_notified;

static inline uint64_t gate_take_notified(void)
{
    uint64_t channels = gate_notified;

    gate_notified = 0;
    return channels;
}

static inline int64_t call_syscall(enum gate_call number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result = (int64_t)number;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c)
                     :
                     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return result;
}

static inline int64_t call_sysenter(enum gate_call number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result = (int64_t)number;

    __asm__ volatile("movq %%rsp, %%rcx\n\t"
                     "leaq 1f(%%rip), %%r11\n\t"
                     "sysenter\n"
                     "1:"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c)
                     :
                     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return result;
}

/* Arguments and result are those of abi/gate.h. */
static inline int64_t gate_call(enum gate_call number, uint64_t a, uint64_t b, uint64_t c)
{
    return gate_entry == GATE_SYSENTER ? call_sysenter(number, a, b, c)
                                       : call_syscall(number, a, b, c);
}
