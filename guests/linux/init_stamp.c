/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the TSC as the first thing that init does, in decimal, as "init-stamp: N", and ends.
 *
 * Without a C library, so that nothing else is counted with it.
 */
#include <stdint.h>

#define NR_WRITE 1
#define NR_EXIT  60

static long system_call(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

__attribute__((used)) static void run(void)
{
    static const char name[] = "init-stamp: ";
    char line[48], *end = line + sizeof(line), *at = end;
    uint64_t tsc = __builtin_ia32_rdtsc();

    *--at = '\n';
    do
        *--at = (char)('0' + tsc % 10);
    while ((tsc /= 10) != 0);
    for (unsigned i = sizeof(name) - 1; i > 0; i--)
        *--at = name[i - 1];
    system_call(NR_WRITE, 1, (long)at, end - at);
    system_call(NR_EXIT, 0, 0, 0);
}

__asm__(".globl _start\n_start: andq $-16, %rsp\n call run\n");
