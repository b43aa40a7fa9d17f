/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls with flags, registers and addresses that the ordinary monitor never has. */
#include "monitor/gate.h"
#include "tests/bochs/evil/evil.h"

#define PREPARE                                                                                    \
    "movq %%r10, %%rbx; movq %%r10, %%r12; movq %%r10, %%r13; movq %%r10, %%r14; movq %%r10, "     \
    "%%r15\n\t"
#define SET_FLAGS   "pushq %%r9; popfq\n\t"
#define RESET_FLAGS "pushq $2; popfq"

#define CALL(instructions)                                                                         \
    do {                                                                                           \
        register uint64_t high __asm__("r8") = c->high, flags __asm__("r9") = c->flags;            \
        register uint64_t registers __asm__("r10") = c->registers;                                 \
        uint64_t rdi = c->a, rsi = c->b, rdx = c->c;                                               \
        __asm__ volatile(PREPARE instructions RESET_FLAGS                                          \
                         : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(high), "+r"(flags), \
                           "+r"(registers)                                                         \
                         :                                                                         \
                         : "rbx", "rcx", "r11", "r12", "r13", "r14", "r15", "cc", "memory");       \
    } while (0)

int64_t odd_call(const struct odd_call *c)
{
    const struct monitor_info *info = (const void *)MONITOR_INFO;
    uint64_t result = c->number;

    if ((info->gate == GATE_SYSENTER) != c->other_gate)
        CALL("movq %%rsp, %%rcx; orq %%r8, %%rcx; leaq 1f(%%rip), %%r11; orq %%r8, "
             "%%r11\n\t" SET_FLAGS "sysenter\n"
             "1:\t");
    else
        CALL(SET_FLAGS "syscall\n\t");
    return (int64_t)result;
}
