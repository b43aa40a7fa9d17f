/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways into the kernel from 64-bit code: SYSCALL and int 80h; and what comes without a call,
 * the clock. */
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guests/linux/tap.h"

#define I386_GETPID 20
#define ROUNDS      2000

static long by_syscall(long number, uint64_t *rcx, uint64_t *r11)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result), "=c"(*rcx), "=r"(*r11)
                     : "a"(number)
                     : "r11", "memory");
    return result;
}

static void test_syscall(void)
{
    uint64_t rcx, r11, flags, behind;
    long result;
    bool same = true;

    for (unsigned i = 0; i < ROUNDS; i++)
        same = same && by_syscall(SYS_getpid, &rcx, &r11) == getpid();
    ok(same, "SYSCALL from 64-bit code");
    __asm__ volatile("pushfq; popq %2; leaq 1f(%%rip), %3; syscall; 1: movq %%r11, %1"
                     : "=a"(result), "=&r"(r11), "=&r"(flags), "=&r"(behind), "=c"(rcx)
                     : "0"((long)SYS_getpid)
                     : "r11", "memory");
    ok(rcx == behind, "SYSCALL leaves the return address in RCX");
    ok(((r11 ^ flags) & 0xed5) == 0, "SYSCALL leaves the flags in R11");
}

static void test_int80(void)
{
    bool same = true;
    long result;

    for (unsigned i = 0; i < ROUNDS; i++) {
        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "0"((long)I386_GETPID)
                         : "r8", "r9", "r10", "r11", "memory");
        same = same && result == getpid();
    }
    ok(same, "int 80h from 64-bit code");
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void test_clock(void)
{
    uint64_t last = now(), next, start;
    bool forward = true;

    for (unsigned i = 0; i < ROUNDS; i++, last = next) {
        next = now();
        forward = forward && next >= last;
    }
    ok(forward, "the clock never goes back");
    start = now();
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ok(now() - start >= 20000000 && now() - start < 2000000000,
       "a sleep of 20 ms takes about that long");
}

void test_calls(void)
{
    test_syscall();
    test_int80();
    test_clock();
}
