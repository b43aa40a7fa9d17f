/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger looks at: calls, an interrupt handler, what is watched, and each kind of
 * instruction that a single step could leave a trace in; a program in ring 3, and another vCPU
 * where there is one. By itself it finds that there is no trace.
 */
#include "guests/lib/ap.h"
#include "guests/lib/apic.h"
#include "guests/lib/guest.h"
#include "guests/lib/interrupt.h"
#include "lib/string.h"

#define TICK_VECTOR 0x40
#define CALL_VECTOR 0x41
#define CALLS       3
#define DR6_BITS    0xffff0ff0ULL
#define USER_TEXT   0xb0000000ULL
#define USER_STACK  0xb0100000ULL

/* Those that a debugger steps over, with labels before and behind. */
#define AT(name, instruction)                                                                      \
    ".globl step_" name "\nstep_" name ": " instruction "\n.globl behind_" name "\nbehind_" name   \
    ":\n"

volatile uint64_t watched, looked_at;
volatile unsigned ticks, breakpoints;
static char from[16] = "fifteen letters", to[16];

static void on_tick(struct interrupt_frame *frame)
{
    ticks++;
    apic_eoi();
}

static void on_breakpoint(struct interrupt_frame *frame)
{
    breakpoints++;
}

/* A call for each, whatever the compiler could make of them. */
static unsigned __attribute__((noipa)) factorial(unsigned n)
{
    unsigned rest;

    if (n <= 1)
        return 1;
    rest = factorial(n - 1);
    __asm__ volatile("" : "+r"(rest));
    return n * rest;
}

static void __attribute__((noipa)) turn(unsigned n)
{
    watched += n;
    __asm__ volatile("" : : "r"(looked_at) : "memory");
}

static uint64_t __attribute__((noipa)) pushed_flags(void)
{
    uint64_t flags;

    __asm__ volatile(AT("pushf", "pushfq") "popq %0" : "=r"(flags));
    return flags;
}

/* Flags that IRET and POPF load are those that they say. */
static uint64_t __attribute__((noipa)) loaded_flags(void)
{
    uint64_t flags;

    __asm__ volatile("movq %%rsp, %%rdx; pushq %[ss]; pushq %%rdx; pushfq; pushq %[cs];"
                     "leaq 1f(%%rip), %%rcx; pushq %%rcx;" AT("iret", "iretq") "1: pushfq;" AT(
                         "popf", "popfq") "pushfq; popq %[flags]"
                     : [flags] "=r"(flags)
                     : [ss] "i"(KERNEL_DATA), [cs] "i"(KERNEL_CODE)
                     : "rcx", "rdx", "memory", "cc");
    return flags;
}

extern const char syscalled[];
__asm__(".globl syscalled\nsyscalled: jmpq *%rcx");

/* From ring 0: R11 has the flags that SYSCALL has found. */
static uint64_t __attribute__((noipa)) kept_flags(void)
{
    uint64_t flags;

    wrmsr(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_SCE);
    wrmsr(MSR_IA32_STAR, (uint64_t)KERNEL_CODE << 32);
    wrmsr(MSR_IA32_LSTAR, (uintptr_t)syscalled);
    wrmsr(MSR_IA32_FMASK, 0);
    __asm__ volatile(AT("syscall", "syscall") "movq %%r11, %0"
                     : "=r"(flags)
                     :
                     : "rcx", "r11", "memory", "cc");
    return flags;
}

static void __attribute__((noipa)) copy(void)
{
    const char *source = from;
    char *target = to;
    uint64_t count = sizeof(from);

    __asm__ volatile(AT("rep", "rep movsb") : "+S"(source), "+D"(target), "+c"(count) : : "memory");
}

static uint32_t __attribute__((noipa)) vendor(void)
{
    uint32_t eax = 0, ebx, ecx = 0, edx;

    __asm__ volatile(AT("cpuid", "cpuid") : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ebx;
}

/* The timer wakes it. */
static void __attribute__((noipa)) wait_for_tick(void)
{
    unsigned before = ticks;

    apic_write(APIC_INITIAL_COUNT, 100000);
    while (ticks == before)
        __asm__ volatile("sti;" AT("hlt", "hlt") "cli" : : : "memory");
}

static void __attribute__((noipa)) own_breakpoint(void)
{
    __asm__ volatile(AT("int3", "int3") : : : "memory");
}

/* Its own breakpoints, which are not to be hit here. */
static void __attribute__((noipa)) debug_registers(void)
{
    write_dr0(0x123456789);
    write_dr7(0x400);
    is(read_dr0(), 0x123456789, "DR0 is the guest's");
    is(read_dr7(), 0x400, "DR7 is the guest's");
    write_dr6(0);
    is(read_dr6(), DR6_BITS, "DR6 is the guest's");
}

/* A program: CPUID, and the call that ends it. */
extern const char user_code[], user_code_end[], user_left[];
__asm__(".globl user_code\nuser_code: xorl %eax, %eax\n" AT("user_cpuid", "cpuid")
            AT("user_syscall", "syscall") ".globl user_code_end\nuser_code_end:");

/* An interrupt is there when it begins. The program keeps R12. */
static uint64_t __attribute__((noipa)) run_user(void)
{
    uint64_t ebx;

    apic_self_ipi(TICK_VECTOR);
    __asm__ volatile("movq %%rsp, %%r12; pushq %[ss]; pushq %[stack]; pushq %[flags];"
                     "pushq %[cs]; pushq %[rip];" AT(
                         "to_user", "iretq") ".globl user_left\nuser_left: movq %%r12, %%rsp"
                     : "=b"(ebx)
                     : [ss] "i"(USER_DATA), [stack] "r"(USER_STACK + PAGE_SIZE),
                       [flags] "i"(RFLAGS_IF | 2), [cs] "i"(USER_CODE), [rip] "r"(USER_TEXT)
                     : "rax", "rcx", "rdx", "r11", "r12", "memory", "cc");
    return ebx;
}

static void test_user(void)
{
    static uint8_t stack[0x2000] __attribute__((aligned(16)));
    void *text = page_alloc();

    memcpy(text, user_code, (size_t)(user_code_end - user_code));
    map_page(USER_TEXT, (uintptr_t)text, PAGE_USER);
    map_page(USER_STACK, (uintptr_t)page_alloc(), PAGE_USER | PAGE_WRITE);
    interrupt_stack((uintptr_t)stack + sizeof(stack));
    wrmsr(MSR_IA32_LSTAR, (uintptr_t)user_left);
    wrmsr(MSR_IA32_FMASK, RFLAGS_IF);
    is(run_user(), 0x756e6547, "CPUID in ring 3");
    is(ticks, 2, "and an interrupt there");
}

static volatile uint64_t came, calls;
static volatile unsigned stays; /* a debugger says so */

static void on_call(struct interrupt_frame *frame)
{
    calls++;
    apic_eoi();
}

/* Of another vCPU, which is called from then on. */
static void second(void)
{
    apic_enable(APIC_MEMORY);
    came = 1;
    for (;;)
        sti_hlt_cli();
}

static void test_second(void)
{
    interrupt_handle(CALL_VECTOR, on_call);
    interrupts_on(); /* Bochs leaves no guest that spins without (docs/emulator.md) */
    if (!ok(ap_start(1, second), "the other vCPU starts"))
        return;
    while (came == 0)
        cpu_relax();
    for (unsigned i = 1; i <= CALLS; i++) {
        apic_send(1, CALL_VECTOR);
        while (calls < i)
            cpu_relax();
    }
    is(calls, CALLS, "and answers each call");
}

static void __attribute__((noipa)) stay(void)
{
    while (stays)
        cpu_relax();
}

static void __attribute__((noipa)) prepare(void)
{
    interrupt_handle(TICK_VECTOR, on_tick);
    interrupt_handle(VECTOR_BP, on_breakpoint);
    apic_enable(APIC_MEMORY);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, TICK_VECTOR | APIC_TIMER_ONE_SHOT);
}

void guest_main(void)
{
    prepare();
    is(factorial(5), 120, "calls");
    for (unsigned n = 0; n < 10; n++)
        turn(n);
    is(watched, 45, "what is watched has its values");
    is(vendor(), 0x756e6547, "CPUID");
    is(pushed_flags() & RFLAGS_TF, 0, "PUSHF stores no TF");
    is(loaded_flags() & RFLAGS_TF, 0, "IRET and POPF load none");
    is(kept_flags() & RFLAGS_TF, 0, "SYSCALL keeps none");
    copy();
    is((uint64_t)to[14], 's', "REP MOVS");
    wait_for_tick();
    is(ticks, 1, "HLT, and the interrupt that ends it");
    own_breakpoint();
    is(breakpoints, 1, "INT3 of the guest's own");
    debug_registers();
    test_user();
    if (cpuid(0xb, 1).ebx > 1)
        test_second();
    stay();
}
