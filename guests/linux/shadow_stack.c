/* SPDX-License-Identifier: BSD-2-Clause */
/* User shadow stacks (CET), where the kernel has them, from Linux 6.6 on: the CPU keeps a second
 * copy of return addresses. One program at a time has one: Bochs 3.0 loses them where two take
 * turns (docs/emulator.md). */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/linux/tap.h"

/* Linux's interface (Documentation/arch/x86/shstk.rst). */
#define ARCH_SHSTK_ENABLE 0x5001
#define ARCH_SHSTK_SHSTK  1

#define DEPTH  200
#define ROUNDS 300
/* Exit codes. */
#define NOT_ENDED       1
#define NESTED_BADLY    2
#define SIGNALLED_BADLY 3
#define MOVED           4
#define LED_ASTRAY      42

/* A function that returns to where it was not called from, by a changed return address; there the
 * program ends. */
void lead_astray(void);
__asm__(".text\n"
        "lead_astray: leaq astray(%rip), %rax; movq %rax, (%rsp); ret\n"
        "astray: movl $231, %eax; movl $42, %edi; syscall\n");

static bool is_offered(void)
{
    char line[8192];
    bool found = false;
    FILE *f = fopen("/proc/cpuinfo", "r");

    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
        found = strncmp(line, "flags", 5) == 0 && strstr(line, " user_shstk") != NULL;
    if (f != NULL)
        fclose(f);
    return found;
}

/* SSP, or 0 where there is none: RDSSP does nothing then. */
static uint64_t read_ssp(void)
{
    uint64_t ssp = 0;

    __asm__ volatile("rdsspq %0" : "+r"(ssp));
    return ssp;
}

/* The new shadow stack is empty: who does this must not return. */
static inline __attribute__((always_inline)) long enable(void)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((long)SYS_arch_prctl), "D"((long)ARCH_SHSTK_ENABLE),
                       "S"((long)ARCH_SHSTK_SHSTK)
                     : "rcx", "r11", "memory");
    return result;
}

/* Each call takes 8 bytes, and each return gives them back. */
static __attribute__((noinline)) bool nest(unsigned depth)
{
    uint64_t ssp = read_ssp();

    if (depth % 50 == 0)
        syscall(SYS_getpid);
    if (depth == 0)
        return true;
    bool good = nest(depth - 1);
    return good && read_ssp() == ssp;
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    signals += nest(20);
}

static __attribute__((noinline)) int work(void)
{
    uint64_t ssp = read_ssp();

    signal(SIGUSR1, on_signal);
    for (unsigned i = 0; i < ROUNDS; i++)
        if (!nest(DEPTH))
            return NESTED_BADLY;
    for (unsigned i = 0; i < ROUNDS; i++)
        kill(getpid(), SIGUSR1);
    if (signals != ROUNDS)
        return SIGNALLED_BADLY;
    return ssp != 0 && read_ssp() == ssp ? 0 : MOVED;
}

/* The exit code of a child, or 256 and the signal by which it ended. */
static int end_of(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static pid_t start_worker(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (enable() != 0)
            _exit(NOT_ENDED);
        _exit(work());
    }
    return child;
}

static pid_t start_astray(bool shadow)
{
    pid_t child = fork();

    if (child == 0) {
        if (shadow && enable() != 0)
            _exit(NOT_ENDED);
        lead_astray();
        _exit(NOT_ENDED);
    }
    return child;
}

/* Where an ordinary store does not reach. */
static pid_t start_writer(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (enable() != 0)
            _exit(NOT_ENDED);
        *(volatile uint64_t *)(read_ssp() - 8) = 0;
        _exit(NOT_ENDED);
    }
    return child;
}

void test_shadow_stacks(void)
{
    if (!is_offered()) {
        skip("the kernel offers none", "user shadow stacks");
        return;
    }
    fflush(stdout);
    ok(end_of(start_worker()) == 0, "a program nests calls and takes signals on a shadow stack");
    ok(end_of(start_astray(false)) == LED_ASTRAY, "a changed return address leads astray");
    ok(end_of(start_astray(true)) == 256 + SIGSEGV, "on a shadow stack it ends the program");
    ok(end_of(start_writer()) == 256 + SIGSEGV, "a shadow stack is not written to");
}
