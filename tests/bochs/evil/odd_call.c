/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls with flags, registers and addresses that no ordinary program has. */
#include "tests/bochs/evil/odd_call.h"

#include "runtime/call.h"

#define USER_DATA 0x2b
#define GDT_END   0x50

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
    uint64_t result = c->number;

    if ((gate_entry == GATE_SYSENTER) != c->other_gate)
        CALL("movq %%rsp, %%rcx; orq %%r8, %%rcx; leaq 1f(%%rip), %%r11; orq %%r8, "
             "%%r11\n\t" SET_FLAGS "sysenter\n"
             "1:\t");
    else
        CALL(SET_FLAGS "syscall\n\t");
    return (int64_t)result;
}

/* Whether ring 3 can use a descriptor at this place, whatever is there. */
static bool descriptor_visible(uint32_t selector)
{
    uint32_t rights, limit;
    bool lar, lsl;

    __asm__ volatile("larl %2, %0" : "=r"(rights), "=@ccz"(lar) : "r"(selector) : "cc");
    __asm__ volatile("lsll %2, %0" : "=r"(limit), "=@ccz"(lsl) : "r"(selector) : "cc");
    return lar || lsl;
}

uint32_t descriptors_behind_gdt(void)
{
    uint32_t visible = descriptor_visible(USER_DATA) ? 0 : UINT32_MAX;

    for (uint32_t selector = GDT_END | 3; selector <= UINT16_MAX; selector += 8)
        visible += descriptor_visible(selector);
    return visible;
}

void load_segments(void)
{
    __asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%fs; movw %w0, %%gs"
                     :
                     : "r"(USER_DATA));
}

static uint64_t fill(volatile uint64_t *above)
{
    volatile uint64_t here[64];

    here[0] = *above;
    return fill(here) + here[0];
}

void overflow_stack(void)
{
    volatile uint64_t first = 1;

    fill(&first);
}
