/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits whose number and order are known, again and again, for who traces them: CPUIDS times CPUID,
 * OUTS times OUT to port 0x80, RDMSR, and a sleep of a while. After so many rounds it says what a
 * CPUID took at least, when that is another than before. The command line may be a number: the
 * ticks of the TSC that it sleeps. It never ends by itself.
 */
#include "guests/lib/guest.h"

#define CPUIDS       5
#define OUTS         3
#define ROUNDS       20
#define TIMER_VECTOR 0x41
#define SLEEP        50000 /* TSC ticks, if nothing else is said */

static volatile unsigned woken;

static void on_timer(struct interrupt_frame *frame)
{
    woken++;
    apic_eoi();
}

/* Ticks, its two RDTSC among them. */
static uint64_t __attribute__((noinline)) time_cpuid(void)
{
    uint32_t begin, end;

    __asm__ volatile("rdtsc; movl %%eax, %0; xorl %%eax, %%eax; cpuid; rdtsc; movl %%eax, %1"
                     : "=&S"(begin), "=&D"(end)
                     :
                     : "rax", "rbx", "rcx", "rdx");
    return end - begin;
}

static uint64_t ticks(void)
{
    uint64_t number = 0;

    for (const char *word = command_line(); *word >= '0' && *word <= '9'; word++)
        number = number * 10 + (uint64_t)(*word - '0');
    return number > 0 ? number : SLEEP;
}

static void sleep_a_while(void)
{
    unsigned before = woken;

    wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + ticks());
    while (woken == before)
        sti_hlt_cli();
}

/* What a CPUID took at least. */
static uint64_t work(void)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < CPUIDS; i++)
        least = min_u64(least, time_cpuid());
    for (unsigned i = 0; i < OUTS; i++)
        outb(0x80, (uint8_t)i);
    rdmsr(MSR_IA32_MISC_ENABLE);
    sleep_a_while();
    return least;
}

void guest_main(void)
{
    uint64_t told = 0;

    apic_enable(APIC_X2);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR | LVT_TIMER_DEADLINE);
    for (;;) {
        uint64_t least = UINT64_MAX;
        for (unsigned i = 0; i < ROUNDS; i++)
            least = min_u64(least, work());
        if (least != told)
            print("# CPUID %lu\n", least);
        told = least;
    }
}
