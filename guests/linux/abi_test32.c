/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 32-bit program without a C library: int 80h, and SYSENTER through the kernel's page
 * (AT_SYSINFO) (R33).
 *
 * Each check has a bit; the exit code is 0 when all passed, otherwise the number of the first that
 * failed.
 */
#include <stdbool.h>
#include <stdint.h>

#define NR_EXIT      1
#define NR_WRITE     4
#define NR_GETPID    20
#define NR_KILL      37
#define NR_SIGACTION 67
#define AT_SYSINFO   32
#define SIGUSR1      10
#define ROUNDS       2000

struct old_sigaction {
    void (*handler)(int);
    unsigned long mask, flags;
    void (*restorer)(void);
};

/* __kernel_vsyscall. */
static uintptr_t kernel_entry;
static volatile unsigned signals;

static long by_int80(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

static long by_sysenter(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("call *%5"
                     : "=a"(result)
                     : "0"(number), "b"(a), "c"(b), "d"(c), "m"(kernel_entry)
                     : "memory");
    return result;
}

static const uint32_t *after_environment(const uint32_t *stack)
{
    stack += stack[0] + 2; /* argc, argv, NULL */
    while (*stack++ != 0)
        ;
    return stack;
}

static uintptr_t find_kernel_entry(const uint32_t *stack)
{
    for (const uint32_t *entry = after_environment(stack); entry[0] != 0; entry += 2)
        if (entry[0] == AT_SYSINFO)
            return entry[1];
    return 0;
}

/* Whether the kernel's page enters by SYSENTER (0f 34) on this CPU. */
static bool uses_sysenter(void)
{
    const uint8_t *code = (const uint8_t *)kernel_entry;

    for (unsigned i = 0; i < 16; i++)
        if (code[i] == 0x0f && code[i + 1] == 0x34)
            return true;
    return false;
}

static bool all_equal(long (*call)(long, long, long, long))
{
    long pid = by_int80(NR_GETPID, 0, 0, 0);

    for (unsigned i = 0; i < ROUNDS; i++)
        if (call(NR_GETPID, 0, 0, 0) != pid)
            return false;
    return pid > 0;
}

static void on_signal(int signal)
{
    signals++;
}

static bool gets_signals(long (*call)(long, long, long, long))
{
    struct old_sigaction action = {.handler = on_signal};
    long pid = call(NR_GETPID, 0, 0, 0);
    unsigned before = signals;

    if (call(NR_SIGACTION, SIGUSR1, (long)&action, 0) != 0)
        return false;
    for (unsigned i = 0; i < 50; i++)
        call(NR_KILL, pid, SIGUSR1, 0);
    return signals == before + 50;
}

__attribute__((used)) static void run(const uint32_t *stack)
{
    static const char text[] = "# hello from 32-bit code\n";
    long failed = 0;

    kernel_entry = find_kernel_entry(stack);
    if (!all_equal(by_int80))
        failed = 1;
    else if (by_int80(NR_WRITE, 1, (long)text, sizeof(text) - 1) != sizeof(text) - 1)
        failed = 2;
    else if (!gets_signals(by_int80))
        failed = 3;
    else if (kernel_entry == 0)
        failed = 4;
    else if (!uses_sysenter())
        failed = 5;
    else if (!all_equal(by_sysenter))
        failed = 6;
    else if (by_sysenter(NR_WRITE, 1, (long)text, sizeof(text) - 1) != sizeof(text) - 1)
        failed = 7;
    else if (!gets_signals(by_sysenter))
        failed = 8;
    by_int80(NR_EXIT, failed, 0, 0);
}

__asm__(".globl _start\n_start: movl %esp, %eax\n andl $-16, %esp\n subl $12, %esp\n pushl %eax\n "
        "call run\n");
