/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/tsc.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/registers.h"
#include "hypervisor/report/panic.h"
#include "lib/string.h"

#define PM_TIMER_HZ   3579545ULL
#define PM_TIMER_MASK 0xffffffu /* 24 bits are always there */
#define PIT_HZ        1193182ULL
#define MEASURE_MS    20

#define RTC_SECONDS  0
#define RTC_STATUS_A 10
#define RTC_UPDATING 0x80

/* TSC ticks, more than MEASURE_MS of them on any CPU: a clock that has not moved meanwhile stands
 * still. */
#define PATIENCE 0x40000000ULL

uint64_t boot_tsc;

/* How many readings the first one of a measurement is the quickest of: an SMI comes between others.
 */
#define ATTEMPTS 8

/* The parts of a frequency of which one may be wrong: at first, and in a figure to give to guests,
 * who would never measure it again; and how long it may take to make it so. */
#define ROUGH     1000
#define EXACT     100000
#define REFINE_MS 500

static uint64_t khz;
static bool exact;

struct sample {
    uint64_t tsc, doubt; /* doubt: how long the reading took, TSC ticks */
    uint32_t ticks;
};

static struct sample pm_timer_read(uint16_t port)
{
    uint64_t before = rdtsc();
    uint32_t ticks = inl(port) & PM_TIMER_MASK;
    uint64_t after = rdtsc();

    return (struct sample){after, after - before, ticks};
}

/*
 * In kHz, as all of these; 0: there is no such clock, or what the result may be wrong by is after
 * `patience` TSC ticks still more than one of `parts`: both readings, and a tick of the timer at
 * either end.
 */
static uint64_t measure_by_pm_timer(uint16_t port, uint64_t parts, uint64_t patience)
{
    struct sample first = {.doubt = UINT64_MAX}, now;
    uint64_t took;

    if (port == 0)
        return 0;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        now = pm_timer_read(port);
        if (now.doubt < first.doubt)
            first = now;
    }
    do {
        now = pm_timer_read(port);
        took = now.tsc - first.tsc;
        uint64_t ticks = (now.ticks - first.ticks) & PM_TIMER_MASK;
        if (ticks >= PM_TIMER_HZ * MEASURE_MS / 1000 &&
            (first.doubt + now.doubt + 2 * (took / ticks + 1)) * parts <= took)
            return took * PM_TIMER_HZ / (ticks * 1000);
    } while (took < patience);
    return 0;
}

/* Channel 2 in mode 0, gated by port 61h, whose bit 5 shows its output. */
static uint64_t measure_by_pit(void)
{
    const uint32_t count = PIT_HZ * MEASURE_MS / 1000;

    outb(0x61, (uint8_t)((inb(0x61) & ~2u) | 1));
    outb(0x43, 0xb0);
    outb(0x42, (uint8_t)count);
    outb(0x42, (uint8_t)(count >> 8));
    uint64_t first = rdtsc(), took = 0;
    if (inb(0x61) & 0x20)
        return 0;
    while (!(inb(0x61) & 0x20) && took < PATIENCE)
        took = rdtsc() - first;
    return took < PATIENCE ? took * PIT_HZ / (count * 1000ULL) : 0;
}

/* SDM volume 3, "Determining the Processor Base Frequency": from the crystal's, which is exact, or
 * 0. */
static uint64_t told_by_crystal(void)
{
    struct cpuid_result ratio = cpuid(0, 0).eax >= 0x15 ? cpuid(0x15, 0) : (struct cpuid_result){0};

    return ratio.eax != 0 ? (uint64_t)ratio.ecx * ratio.ebx / ratio.eax / 1000 : 0;
}

/* In whole MHz of what is printed on the CPU. */
static uint64_t told_by_name(void)
{
    return cpuid(0, 0).eax >= 0x16 ? (cpuid(0x16, 0).eax & 0xffff) * 1000ULL : 0;
}

/* To a thousandth; what cannot be measured contradicts nothing. */
static bool agrees(uint64_t told)
{
    return told - khz + khz / 1000 <= khz / 1000 * 2 || khz == 0;
}

void tsc_measure(uint16_t pm_timer_port)
{
    uint64_t told = told_by_crystal(), rough = measure_by_pm_timer(pm_timer_port, ROUGH, PATIENCE),
             refined = 0;

    khz = rough != 0 ? rough : measure_by_pit();
    if (told != 0 && agrees(told))
        refined = told;
    else if (rough != 0)
        refined = measure_by_pm_timer(pm_timer_port, EXACT, khz * REFINE_MS);
    exact = refined != 0;
    if (exact)
        khz = refined;
    else if (khz == 0)
        khz = told_by_name();
    if (khz == 0)
        stopped("neither the ACPI PM timer nor the 8254 counts here, and CPUID does not tell the "
                "TSC's frequency: switch one "
                "of the timers on in the firmware's setup");
}

uint64_t tsc_khz(void)
{
    return khz;
}

bool tsc_is_exact(void)
{
    return exact;
}

bool tsc_move(int64_t ticks)
{
    bool can = cpuid(7, 0).ebx & CPUID_7_EBX_TSC_ADJUST;

    if (can)
        wrmsr(MSR_IA32_TSC_ADJUST, rdmsr(MSR_IA32_TSC_ADJUST) + (uint64_t)ticks);
    return can;
}

static uint8_t cmos(uint8_t index)
{
    outb(0x70, index); /* bit 7 is clear: NMIs are let through */
    return inb(0x71);
}

void rtc_read(uint8_t *registers, uint8_t count, uint64_t *tsc)
{
    uint64_t start = rdtsc();

    do {
        *tsc = rdtsc();
        bool updating = cmos(RTC_STATUS_A) & RTC_UPDATING; /* for 2 ms */
        for (uint8_t i = 0; i < count; i++)
            registers[i] = cmos(i);
        if (!updating && cmos(RTC_SECONDS) == registers[RTC_SECONDS])
            return;
    } while (*tsc - start <= PATIENCE);
    memset(registers, 0, count);
}
