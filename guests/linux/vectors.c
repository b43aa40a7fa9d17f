/* SPDX-License-Identifier: BSD-2-Clause */
/* x87, SSE and AVX registers stay a process's own: over context switches, and over exits to
 * devices. */
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/io.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/linux/tap.h"

#define ROUNDS    300
#define POST_PORT 0x80
#define ALL_16(X)                                                                                  \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD_XMM(i)  __asm__ volatile("movups %0, %%xmm" #i : : "m"(in[i]));
#define STORE_XMM(i) __asm__ volatile("movups %%xmm" #i ", %0" : "=m"(out[i]));
#define LOAD_YMM(i)  __asm__ volatile("vmovups %0, %%ymm" #i : : "m"(in[i]));
#define STORE_YMM(i) __asm__ volatile("vmovups %%ymm" #i ", %0" : "=m"(out[i]));

static uint64_t in[16][4], out[16][4];

/* What happens while the registers hold the pattern: system calls and port accesses made by hand,
   because a function of the C library may use the registers itself. */
static void yield(void)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "0"(24L) : "rcx", "r11", "memory");
}

static void post(void)
{
    __asm__ volatile("outb %%al, %0; inb %0, %%al" : : "N"(POST_PORT) : "rax");
}

static void make_pattern(uint64_t seed)
{
    for (unsigned i = 0; i < 64; i++)
        in[i / 4][i % 4] = (seed + i + 1) * 0x9e3779b97f4a7c15;
    memset(out, 0, sizeof(out));
}

static bool kept(unsigned bytes)
{
    for (unsigned i = 0; i < 16; i++)
        if (memcmp(in[i], out[i], bytes) != 0)
            return false;
    return true;
}

static bool sse_kept(uint64_t seed, void (*disturb)(void))
{
    double top;
    static const double value = 2.75;

    make_pattern(seed);
    __asm__ volatile("fldl %0" : : "m"(value));
    ALL_16(LOAD_XMM)
    disturb();
    ALL_16(STORE_XMM)
    __asm__ volatile("fstpl %0" : "=m"(top));
    return memcmp(&top, &value, sizeof(top)) == 0 && kept(16);
}

static bool avx_kept(uint64_t seed, void (*disturb)(void))
{
    make_pattern(seed);
    ALL_16(LOAD_YMM)
    disturb();
    ALL_16(STORE_YMM)
    __asm__ volatile("vzeroupper");
    return kept(32);
}

/* Two processes take turns on one CPU, each with a pattern of its own. */
static bool both_keep(bool (*test)(uint64_t, void (*)(void)))
{
    bool good = true;
    int status = -1;
    pid_t child = fork();

    for (uint64_t i = 0; i < ROUNDS; i++)
        good = test(i * 2 + (child == 0), yield) && good;
    if (child == 0)
        _exit(good ? 0 : 1);
    waitpid(child, &status, 0);
    return good && status == 0;
}

static bool keeps_over_ports(bool (*test)(uint64_t, void (*)(void)))
{
    bool good = true;

    for (uint64_t i = 0; i < ROUNDS; i++)
        good = test(i, post) && good;
    return good;
}

void test_vectors(void)
{
    bool avx = __builtin_cpu_supports("avx");
    bool ports = ioperm(POST_PORT, 1, 1) == 0;

    ok(both_keep(sse_kept), "x87 and SSE registers stay over context switches");
    if (ports)
        ok(keeps_over_ports(sse_kept), "x87 and SSE registers stay over ports");
    else
        skip("no right to use ports", "x87 and SSE registers stay over ports");
    if (!avx) {
        skip("no AVX", "AVX registers stay");
        return;
    }
    ok(both_keep(avx_kept), "AVX registers stay over context switches");
    if (ports)
        ok(keeps_over_ports(avx_kept), "AVX registers stay over ports");
}
