/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process is to be its arguments say: its group's rows of process.def come after each
 * other, over all of its starts. */
#include "tests/bochs/evil/process.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/call.h"
#include "runtime/gate.h"
#include "runtime/log.h"

#define PACE_MS 30 /* between rows: all lines shall find room in the log */

/* Written by assembly alone. */
struct registers registers_at_start, registers_seen;

/* Stores all that is in the registers, and goes on in C. */
__asm__(".section .text._start, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "movq %rax, start(%rip)\n"
        "movq %rcx, start+8(%rip)\n"
        "movq %rdx, start+16(%rip)\n"
        "movq %rbx, start+24(%rip)\n"
        "movq %rsp, start+32(%rip)\n"
        "movq %rbp, start+40(%rip)\n"
        "movq %rsi, start+48(%rip)\n"
        "movq %rdi, start+56(%rip)\n"
        "movq %r8, start+64(%rip)\n"
        "movq %r9, start+72(%rip)\n"
        "movq %r10, start+80(%rip)\n"
        "movq %r11, start+88(%rip)\n"
        "movq %r12, start+96(%rip)\n"
        "movq %r13, start+104(%rip)\n"
        "movq %r14, start+112(%rip)\n"
        "movq %r15, start+120(%rip)\n"
        "pushfq; popq start+128(%rip)\n"
        "movw %ds, start+136(%rip)\n"
        "movw %es, start+144(%rip)\n"
        "movw %fs, start+152(%rip)\n"
        "movw %gs, start+160(%rip)\n"
        "andq $-16, %rsp\n"
        "call begin\n"
        ".text\n");

#define HOG(name)
#define GROUP(name, words)
#define DEED(name, pattern)
#define touch_read(address)                                                                        \
    __asm__ volatile("movb (%0), %%al" : : "r"((uint64_t)(address)) : "rax", "memory")
#define touch_write(address)                                                                       \
    __asm__ volatile("movb $0xee, (%0)" : : "r"((uint64_t)(address)) : "memory")
#define touch_exec(address) __asm__ volatile("call *%0" : : "r"((uint64_t)(address)) : "memory")
#define EDGE(name, access, address)                                                                \
    void deed_##name(void)                                                                         \
    {                                                                                              \
        touch_##access(address);                                                                   \
    }
#include "tests/bochs/evil/process.def"
#undef GROUP
#undef DEED
#undef EDGE
#define INSTRUCTION(name, exception, text)                                                         \
    static void deed_##name(void)                                                                  \
    {                                                                                              \
        __asm__ volatile(text);                                                                    \
    }
#include "tests/bochs/evil/instructions.def"
#undef INSTRUCTION

#define GROUP(name, words)                 {#name, NULL},
#define DEED(name, pattern)                {#name, deed_##name},
#define EDGE(name, access, address)        {#name, deed_##name},
#define INSTRUCTION(name, exception, text) {#name, deed_##name},

/* One without a function begins a group; instructions are numbered, and behind all of them. */
static const struct row {
    const char *name;
    deed *commit;
} rows[] = {
#include "tests/bochs/evil/process.def"
    {"instructions", NULL},
#include "tests/bochs/evil/instructions.def"
    {"end", NULL},
};

void expect(bool holds, const char *what)
{
    if (!holds)
        log_line("unexpected: %s", what);
}

void rest(uint64_t ms)
{
    gate_timer(gate_tsc() + ms * INFO->tsc_khz);
    while (!(gate_wait() & EVENT_TIMER))
        ;
}

static const struct row *find_group(const char *name)
{
    const struct row *r = rows;

    while (r < rows + ARRAY_SIZE(rows) && (r->commit != NULL || strcmp(r->name, name) != 0))
        r++;
    return r;
}

/* `most` rows of a group, from number `first` on. */
static _Noreturn void commit(const struct row *group, uint32_t first, uint32_t most)
{
    while (*NEXT_ROW < most && group[1 + first + *NEXT_ROW].commit != NULL) {
        const struct row *r = &group[1 + first + *NEXT_ROW];

        rest(PACE_MS);
        ++*NEXT_ROW;
        log_line("%s", r->name);
        r->commit();
        log_line("returned");
    }
    log_stop(GATE_STOP_POWER_OFF, "done");
}

/* "instructions12": six of them. */
static uint32_t number_in(const char *name)
{
    uint32_t n = 0;

    for (; *name != '\0'; name++)
        n = *name >= '0' && *name <= '9' ? n * 10 + (uint32_t)(*name - '0') : 0;
    return n;
}

void begin(void);
void begin(void)
{
    const char *role = INFO->arguments;

    gate_entry = (enum gate_entry)INFO->gate;
    if (strcmp(role, "watch") == 0)
        watch();
    if (strcmp(role, "work") == 0)
        work();
    if (strcmp(role, "take") == 0)
        take_too_much();
    if (strcmp(role, "instructions") == 0)
        commit(find_group(role), number_in(INFO->name), 6);
    commit(find_group(INFO->name), 0, UINT32_MAX);
}
