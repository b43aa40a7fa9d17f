/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of abi/gate.h as instructions: the one that the hypervisor says it answers. */
#include "monitor/gate.h"

#include <stddef.h>

static int64_t call_syscall(enum gate_call number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result = (int64_t)number;

    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(a), "+S"(b), "+d"(c)
                     :
                     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return result;
}

static int64_t call_sysenter(enum gate_call number, uint64_t a, uint64_t b, uint64_t c)
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

static inline int64_t call(enum gate_call number, uint64_t a, uint64_t b, uint64_t c)
{
    const struct monitor_info *info = (const void *)MONITOR_INFO;

    return info->gate == GATE_SYSENTER ? call_sysenter(number, a, b, c)
                                       : call_syscall(number, a, b, c);
}

int64_t gate_run(unsigned vcpu)
{
    return call(GATE_RUN, vcpu, 0, 0);
}

int64_t gate_start(unsigned vcpu)
{
    return call(GATE_START, vcpu, 0, 0);
}

int64_t gate_segments(unsigned vcpu)
{
    return call(GATE_SEGMENTS, vcpu, 0, 0);
}

int64_t gate_message(uint64_t address, uint32_t data)
{
    return call(GATE_MESSAGE, address, data, 0);
}

int64_t gate_lapic_read(unsigned vcpu, uint32_t offset)
{
    return call(GATE_LAPIC_READ, vcpu, offset, 0);
}

int64_t gate_lapic_write(unsigned vcpu, uint32_t offset, uint32_t value)
{
    return call(GATE_LAPIC_WRITE, vcpu, offset, value);
}

int64_t gate_timer(uint64_t tsc)
{
    return call(GATE_TIMER, tsc, 0, 0);
}

int64_t gate_console_write(uint64_t length)
{
    return call(GATE_CONSOLE_WRITE, length, 0, 0);
}

int64_t gate_console_read(uint64_t max)
{
    return call(GATE_CONSOLE_READ, max, 0, 0);
}

int64_t gate_log(uint64_t length)
{
    return call(GATE_LOG, length, 0, 0);
}

_Noreturn void gate_stop(enum gate_stop why)
{
    call(GATE_STOP, why, 0, 0);
    __builtin_trap();
}

char *gate_text(void)
{
    return (char *)MONITOR_TEXT;
}

uint64_t gate_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

void gate_wait(uint64_t tsc)
{
    while (gate_tsc() < tsc)
        __asm__ volatile("pause");
}
