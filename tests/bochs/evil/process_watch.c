/* SPDX-License-Identifier: BSD-2-Clause */
/* Beside those that misbehave: nothing of theirs is in its registers and in its memory, and nothing
 * of its own goes. */
#include "lib/bits.h"
#include "lib/string.h"
#include "runtime/call.h"
#include "runtime/gate.h"
#include "runtime/log.h"
#include "tests/bochs/evil/process.h"

#define STACK_WORDS   512
#define IMAGE         0x400000ULL
#define IMAGE_SIZE    0x100000ULL
#define FIXED         2ULL
#define ARITHMETIC    0x8d5ULL
#define INTERRUPTS    0x200ULL
#define XCR0_SWITCHED 0xe7u

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R15 = 15 };

/* A value for each register that is nobody else's. */
#define MINE(n) (0x5a00c0de00000000ULL + (n) * 0x11)

/* registers_spin: loads all registers, counts, and stores them in registers_seen.
 * registers_call(number, a): the same with a call in between, by the gate that there is. */
void registers_spin(void);
void registers_call(uint64_t number, uint64_t a);

#define STORE_ALL                                                                                  \
    "movq %rax, seen(%rip); movq %rcx, seen+8(%rip); movq %rdx, seen+16(%rip)\n"                   \
    "movq %rbx, seen+24(%rip); movq %rsp, seen+32(%rip); movq %rbp, seen+40(%rip)\n"               \
    "movq %rsi, seen+48(%rip); movq %rdi, seen+56(%rip); movq %r8, seen+64(%rip)\n"                \
    "movq %r9, seen+72(%rip); movq %r10, seen+80(%rip); movq %r11, seen+88(%rip)\n"                \
    "movq %r12, seen+96(%rip); movq %r13, seen+104(%rip); movq %r14, seen+112(%rip)\n"             \
    "movq %r15, seen+120(%rip); pushfq; popq seen+128(%rip)\n"                                     \
    "movw %ds, seen+136(%rip); movw %es, seen+144(%rip)\n"                                         \
    "movw %fs, seen+152(%rip); movw %gs, seen+160(%rip)\n"

#define SAVE    "pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
#define RESTORE "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx; ret\n"

/* What a call keeps, and R8 to R10, which it does not. */
#define LOAD_KEPT                                                                                  \
    "movabsq $0x5a00c0de00000033, %rbx; movabsq $0x5a00c0de00000055, %rbp\n"                       \
    "movabsq $0x5a00c0de00000088, %r8; movabsq $0x5a00c0de00000099, %r9\n"                         \
    "movabsq $0x5a00c0de000000aa, %r10; movabsq $0x5a00c0de000000cc, %r12\n"                       \
    "movabsq $0x5a00c0de000000dd, %r13; movabsq $0x5a00c0de000000ee, %r14\n"                       \
    "movabsq $0x5a00c0de000000ff, %r15\n"

__asm__(".text\n"
        "registers_spin:\n" SAVE LOAD_KEPT
        "movabsq $0x5a00c0de00000000, %rax; movabsq $0x5a00c0de00000022, %rdx\n"
        "movabsq $0x5a00c0de00000066, %rsi; movabsq $0x5a00c0de00000077, %rdi\n"
        "movabsq $0x5a00c0de000000bb, %r11; movl $10000, %ecx\n"
        "1: decq %rcx; jnz 1b\n"
        "movabsq $0x5a00c0de00000011, %rcx\n" STORE_ALL RESTORE "registers_call:\n" SAVE LOAD_KEPT
        "movq %rdi, %rax; movq %rsi, %rdi; xorl %esi, %esi; xorl %edx, %edx\n"
        "cmpl $0, gate_entry(%rip); jne 1f\n"
        "syscall; jmp 2f\n"
        "1: movq %rsp, %rcx; leaq 2f(%rip), %r11; sysenter\n"
        "2:\n" STORE_ALL RESTORE);

/* Numbers of its own, places in its code and on its stack, and what it has loaded. */
static bool is_mine(uint64_t value)
{
    return value < PAGE_SIZE || value - IMAGE < IMAGE_SIZE ||
           value - (PROCESS_STACK - PROCESS_STACK_SIZE) <= PROCESS_STACK_SIZE ||
           (value >= MINE(0) && value <= MINE(15));
}

static void expect_no_segments(const struct registers *r)
{
    for (unsigned i = 0; i < ARRAY_SIZE(r->segment); i++)
        expect(r->segment[i] == 0, "a selector that is another one's");
}

static void look_at_start(void)
{
    for (unsigned i = 0; i < 16; i++)
        expect(registers_at_start.gpr[i] == (i == RSP ? PROCESS_STACK : 0),
               "something is in the registers at the start");
    expect(registers_at_start.rflags == (FIXED | INTERRUPTS), "there are flags at the start");
    expect_no_segments(&registers_at_start);
}

static void look_at_call(uint64_t number, uint64_t a)
{
    registers_call(number, a);
    for (unsigned i = RCX; i <= R15; i++) {
        bool kept = i == RBX || i == RBP || i > 11;
        expect(kept ? registers_seen.gpr[i] == MINE(i) : is_mine(registers_seen.gpr[i]),
               "a register behind a call is not its own");
    }
    expect((registers_seen.rflags & ~(ARITHMETIC | INTERRUPTS)) == FIXED, "flags behind a call");
    expect_no_segments(&registers_seen);
}

static void look_while_interrupted(void)
{
    registers_spin();
    for (unsigned i = 0; i < 16; i++)
        expect(i == RSP || registers_seen.gpr[i] == MINE(i),
               "a register changes behind an interrupt");
    expect_no_segments(&registers_seen);
}

/* What ring 3 can read without a register's being its own: TSC_AUX, and which states are enabled.
 */
static void look_at_others(void)
{
    uint32_t a, b, c, d;

    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000001), "c"(0));
    if (d & BIT(27)) {
        __asm__ volatile("rdtscp" : "=a"(a), "=d"(d), "=c"(c));
        expect(c == 0, "TSC_AUX is another one's");
    }
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
    if (c & BIT(27)) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        uint32_t xcr0 = a;
        expect(d == 0, "XCR0 is another one's");
        __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0xd), "c"(0));
        /* With VMs all that is switched, whatever a guest has chosen: the use of any is #NM. */
        expect(xcr0 == 1 || xcr0 == (a & XCR0_SWITCHED), "XCR0 is another one's");
    }
}

static void fill(uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        words[i] = MINE(i);
}

static void look_at_memory(const uint64_t *words, unsigned count, const char *what)
{
    bool good = true;

    for (unsigned i = 0; i < count; i++)
        good &= words[i] == MINE(i);
    expect(good, what);
}

static bool all_ended(void)
{
    for (uint32_t n = 0; n < INFO->channel_count; n++)
        if (!((const volatile struct process_info *)INFO)->channels[n].ended)
            return false;
    return true;
}

_Noreturn void watch(void)
{
    uint64_t stack[STACK_WORDS], *dma = (uint64_t *)PROCESS_DMA;
    unsigned rounds = 0;

    look_at_start();
    fill(stack, STACK_WORDS);
    fill(dma, PAGE_SIZE / 8);
    for (; !all_ended(); rounds++) {
        look_at_call(GATE_NOTIFY, BIT(rounds % INFO->channel_count));
        look_at_call(GATE_NOTIFY, UINT64_MAX);
        look_at_call(GATE_CALL_COUNT, 0);
        look_at_call(GATE_TIMER, gate_tsc() + INFO->tsc_khz / 4);
        look_at_call(GATE_WAIT, 1);
        look_while_interrupted();
        look_at_others();
        look_at_memory(stack, STACK_WORDS, "the stack is written by others");
        look_at_memory(dma, PAGE_SIZE / 8, "the DMA area is written by others");
    }
    log_line("watched: %u rounds, %u others ended", rounds, INFO->channel_count);
    log_stop(GATE_STOP_POWER_OFF, "done");
}
