/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: sent, raised by the CPU, nested, from timers; and that a handler's return restores
 * everything. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "guests/linux/tap.h"

#define TRAP_FLAG 0x100
#define TICKS     5

static volatile sig_atomic_t outer, inner, inner_depth, ticks, steps;
static siginfo_t last;
static unsigned skip_bytes; /* the length of the instruction that faults */

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    sigaction(signal, &action, NULL);
}

static void on_inner(int signal, siginfo_t *info, void *context)
{
    inner++;
    inner_depth = outer;
}

static void on_outer(int signal, siginfo_t *info, void *context)
{
    outer++;
    kill(getpid(), SIGUSR2);
}

static void test_sent(void)
{
    handle(SIGUSR1, on_outer, 0);
    handle(SIGUSR2, on_inner, 0);
    for (unsigned i = 0; i < 100; i++)
        kill(getpid(), SIGUSR1);
    ok(outer == 100, "a hundred signals arrive");
    ok(inner == 100 && inner_depth == 100, "a signal in a handler arrives in it");
}

/* The handler overwrites what it may; registers and flags are as before after its return. */
static void test_restored(void)
{
    uint64_t result, sum = 0;

    handle(SIGUSR2, on_inner, 0);
    __asm__ volatile("movq $0x11, %%r12; movq $0x22, %%r13; movq $0x33, %%r14; movq $0x44, %%r15\n"
                     "movq $0x55, %%r8; movq $0x66, %%r9; movq $0x77, %%r10; movq $0x88, %%rbx\n"
                     "stc; syscall; setc %%cl; movzbl %%cl, %%ecx; movq %%rcx, %1\n"
                     "addq %%r12, %1; addq %%r13, %1; addq %%r14, %1; addq %%r15, %1\n"
                     "addq %%r8, %1; addq %%r9, %1; addq %%r10, %1; addq %%rbx, %1"
                     : "=a"(result), "=&r"(sum)
                     : "0"((uint64_t)62), "D"((long)getpid()), "S"((long)SIGUSR2)
                     : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc",
                       "memory");
    ok(result == 0 && sum == 0x264 + 1, "a handler's return restores registers and flags");
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *state = context;

    last = *info;
    state->uc_mcontext.gregs[REG_RIP] += skip_bytes;
}

/* The instructions have a known length, so that the handler can go on behind them. */
static void test_faults(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    handle(SIGSEGV, on_fault, 0);
    handle(SIGFPE, on_fault, 0);
    handle(SIGILL, on_fault, 0);
    handle(SIGTRAP, on_fault, 0);
    skip_bytes = 2;
    __asm__ volatile("movb (%%rax), %%cl" : : "a"(page + 5) : "rcx", "memory");
    ok(last.si_signo == SIGSEGV && last.si_code == SEGV_ACCERR && last.si_addr == page + 5,
       "SIGSEGV tells the address of an access that is not allowed");
    munmap(page, 4096);
    __asm__ volatile("movb %%cl, (%%rax)" : : "a"(page + 7) : "memory");
    ok(last.si_signo == SIGSEGV && last.si_code == SEGV_MAPERR && last.si_addr == page + 7,
       "SIGSEGV tells the address where nothing is mapped");
    __asm__ volatile("divl %%ecx" : : "a"(1), "d"(0), "c"(0) : "cc");
    ok(last.si_signo == SIGFPE && last.si_code == FPE_INTDIV, "SIGFPE for a division by zero");
    __asm__ volatile("ud2");
    ok(last.si_signo == SIGILL, "SIGILL for an undefined instruction");
    skip_bytes = 0;
    __asm__ volatile("int3");
    ok(last.si_signo == SIGTRAP, "SIGTRAP for a breakpoint");
    skip_bytes = 1;
    __asm__ volatile("hlt");
    ok(last.si_signo == SIGSEGV && last.si_code == SI_KERNEL,
       "SIGSEGV for a privileged instruction");
}

static void on_step(int signal, siginfo_t *info, void *context)
{
    steps++;
}

static void test_steps(void)
{
    handle(SIGTRAP, on_step, 0);
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; nop; xorl %%eax, %%eax; cpuid; pushfq; andq "
                     "%1, (%%rsp); popfq"
                     :
                     : "i"(TRAP_FLAG), "i"(~TRAP_FLAG)
                     : "rax", "rbx", "rcx", "rdx", "cc", "memory");
    ok(steps == 6, "a single step for each instruction, CPUID among them"); /* R43 */
}

static sigjmp_buf jump;

static void on_overflow(int signal, siginfo_t *info, void *context)
{
    siglongjmp(jump, 1);
}

static void test_other_stack(void)
{
    static char stack[65536];
    volatile char *guard;

    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    handle(SIGSEGV, on_overflow, SA_ONSTACK);
    guard = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sigsetjmp(jump, 1) == 0) {
        *guard = 1;
        ok(false, "a handler on a stack of its own leaves by siglongjmp");
    } else {
        ok(true, "a handler on a stack of its own leaves by siglongjmp");
    }
    signal(SIGSEGV, SIG_DFL);
}

static void on_tick(int signal, siginfo_t *info, void *context)
{
    ticks++;
}

static void set_ticks(long usec)
{
    struct itimerval timer = {.it_interval.tv_usec = usec, .it_value.tv_usec = usec};

    setitimer(ITIMER_REAL, &timer, NULL);
}

static void test_timer(void)
{
    handle(SIGALRM, on_tick, 0);
    set_ticks(10000);
    while (ticks < TICKS)
        pause();
    ok(ticks >= TICKS, "timer signals wake a waiting program");
    ticks = 0;
    while (ticks < TICKS)
        ;
    ok(ticks >= TICKS, "timer signals interrupt a computing program");
    set_ticks(0);
}

void test_signals(void)
{
    test_sent();
    test_restored();
    test_faults();
    test_steps();
    test_other_stack();
    test_timer();
}
