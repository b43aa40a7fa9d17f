/* SPDX-License-Identifier: BSD-2-Clause */
/* What the world switch must keep: general, x87, SSE, AVX and debug registers, CR2 and flags, over
 * every kind of exit (R11). */
#include "guests/lib/guest.h"
#include "lib/string.h"

#define ROUNDS       20
#define UNCLAIMED    0xd0000000ULL
#define TIMER_VECTOR 0x41

static void on_timer(struct interrupt_frame *frame)
{
    apic_eoi();
}

static void by_cpuid(void)
{
    cpuid(0, 0);
}

static void by_port(void)
{
    outb(UART_SCR, inb(UART_SCR));
}

static void by_memory(void)
{
    *(volatile uint32_t *)UNCLAIMED = *(volatile uint32_t *)UNCLAIMED;
}

static void by_msr(void)
{
    wrmsr(MSR_IA32_PAT, rdmsr(MSR_IA32_PAT));
}

static void by_halt(void)
{
    apic_write(APIC_LVT_TIMER, APIC_TIMER_ONE_SHOT | TIMER_VECTOR);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_INITIAL_COUNT, 2000);
    sti_hlt_cli();
}

static const struct exit {
    void (*cause)(void);
    const char *name;
} exits[] = {
    {by_cpuid, "CPUID"}, {by_port, "a port"}, {by_memory, "device memory"},
    {by_msr, "an MSR"},  {by_halt, "HLT"},
};

#define FOLD(reg) "leaq (%%rax,%%rax,2), %%rax\n addq %%" #reg ", %%rax\n"
#define FOLDED                                                                                     \
    FOLD(rsi)                                                                                      \
    FOLD(rdi) FOLD(r8) FOLD(r9) FOLD(r10) FOLD(r11) FOLD(r12) FOLD(r13) FOLD(r14) FOLD(r15)
#define LOADED                                                                                     \
    "movl $0x1006, %%esi; movl $0x1007, %%edi; movq $0x1008, %%r8; movq $-0x1009, %%r9\n"          \
    "movq $0x100a, %%r10; movq $-0x100b, %%r11; movq $0x100c, %%r12; movq $-0x100d, %%r13\n"       \
    "movq $0x100e, %%r14; movq $-0x100f, %%r15\n"

/* The registers that an exit does not answer in, folded into one number with and without exits in
 * between. */
static void test_general(void)
{
    uint64_t without, with;

    __asm__ volatile(LOADED "xorl %%eax, %%eax\n" FOLDED
                     : "=a"(without)
                     :
                     : "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc");
    __asm__ volatile(
        LOADED "movl $0x3ff, %%edx; outb %%al, %%dx; inb %%dx, %%al\n"
               "movl $0xd0000000, %%ebx; movl (%%rbx), %%eax; movl %%eax, (%%rbx)\n"
               "movl $0x277, %%ecx; rdmsr; xorl %%eax, %%eax; cpuid; xorl %%eax, %%eax\n" FOLDED
        : "=a"(with)
        :
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
          "cc", "memory");
    is(with, without, "general registers stay over exits");
}

static void test_flags(void)
{
    uint64_t flags;

    __asm__ volatile("pushq $0x8d7; popfq; outb %%al, $0x80; xchgb %%al, %%al; pushfq; popq %0"
                     : "=r"(flags)
                     :
                     : "cc");
    is(flags, 0x8d7, "the flags stay over an exit");
}

static void load_x87(void)
{
    __asm__ volatile("fninit; fld1; fldpi");
}

static bool check_x87(void)
{
    static const uint8_t pi[10] = {0x35, 0xc2, 0x68, 0x21, 0xa2, 0xda, 0x0f, 0xc9, 0x00, 0x40};
    uint8_t top[10];
    uint64_t next;

    __asm__ volatile("fstpt %0; fstpl %1" : "=m"(top), "=m"(next));
    return memcmp(top, pi, sizeof(pi)) == 0 && next == 0x3ff0000000000000;
}

#define ALL_16(X)                                                                                  \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static uint64_t vectors[16][4], stored[16][4];

#define LOAD_XMM(i)  __asm__ volatile("movups %0, %%xmm" #i : : "m"(vectors[i]));
#define STORE_XMM(i) __asm__ volatile("movups %%xmm" #i ", %0" : "=m"(stored[i]));
#define LOAD_YMM(i)  __asm__ volatile("vmovups %0, %%ymm" #i : : "m"(vectors[i]));
#define STORE_YMM(i) __asm__ volatile("vmovups %%ymm" #i ", %0" : "=m"(stored[i]));

static void make_vectors(uint64_t seed)
{
    for (unsigned i = 0; i < 64; i++)
        vectors[i / 4][i % 4] = (seed + i + 1) * 0x9e3779b97f4a7c15;
    memset(stored, 0, sizeof(stored));
}

static bool check_vectors(unsigned bytes)
{
    for (unsigned i = 0; i < 16; i++)
        if (memcmp(vectors[i], stored[i], bytes) != 0)
            return false;
    return true;
}

static void test_x87_and_sse(const struct exit *e)
{
    bool x87 = true, sse = true;

    for (unsigned round = 0; round < ROUNDS; round++) {
        make_vectors(round);
        load_x87();
        ALL_16(LOAD_XMM)
        e->cause();
        ALL_16(STORE_XMM)
        x87 = check_x87() && x87;
        sse = check_vectors(16) && sse;
    }
    ok(x87, "x87 registers stay over %s", e->name);
    ok(sse, "SSE registers stay over %s", e->name);
}

static void test_avx(const struct exit *e)
{
    bool avx = true;

    for (unsigned round = 0; round < ROUNDS; round++) {
        make_vectors(round);
        ALL_16(LOAD_YMM)
        e->cause();
        ALL_16(STORE_YMM)
        avx = check_vectors(32) && avx;
    }
    ok(avx, "AVX registers stay over %s", e->name);
}

static void test_others(const struct exit *e)
{
    bool kept = true;

    for (unsigned round = 1; round <= ROUNDS; round++) {
        write_cr2(round * 0x1001);
        write_dr0(round * 0x2002);
        write_dr6(0xffff0ff1);
        write_cr8(round & 1);
        e->cause();
        kept = kept && read_cr2() == round * 0x1001 && read_dr0() == round * 0x2002 &&
               read_dr6() == 0xffff0ff1 && read_cr8() == (round & 1);
    }
    write_dr0(0);
    write_dr6(0);
    write_cr8(0);
    ok(kept, "CR2, CR8, DR0 and DR6 stay over %s", e->name);
}

void guest_main(void)
{
    bool avx = has_xsave() && (cpuid(1, 0).ecx >> 28 & 1);

    write_cr4(read_cr4() | CR4_OSFXSR | (avx ? CR4_OSXSAVE : 0));
    apic_enable(APIC_MEMORY);
    interrupt_handle(TIMER_VECTOR, on_timer);
    test_general();
    test_flags();
    for (unsigned i = 0; i < ARRAY_SIZE(exits); i++) {
        test_x87_and_sse(&exits[i]);
        test_others(&exits[i]);
    }
    if (!avx || try_xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX).vector != NO_TRAP) {
        skip("no AVX", "AVX registers stay over exits");
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(exits); i++)
        test_avx(&exits[i]);
}
