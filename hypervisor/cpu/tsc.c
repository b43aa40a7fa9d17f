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

/* How often a measurement is made again whose ends are not known to a thousandth of it: an SMI came
 * between. */
#define ATTEMPTS 8

uint64_t boot_tsc;

/* A frequency with more error than this is no figure to give to guests, who would never measure it
 * again; the parts of a second that the error is at most, and how long it may take to make it so.
 */
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

/* Waits for the PM timer to be `span` ticks behind `first`. False: it stands still. */
static bool pm_timer_wait(uint16_t port, const struct sample *first, uint32_t span,
                          struct sample *now)
{
    do
        *now = pm_timer_read(port);
    while (((now->ticks - first->ticks) & PM_TIMER_MASK) < span &&
           now->tsc - first->tsc < PATIENCE);
    return ((now->ticks - first->ticks) & PM_TIMER_MASK) >= span;
}

/* In kHz, as all of these; 0: there is no such clock. */
static uint64_t measure_by_pm_timer(uint16_t port)
{
    struct sample any, first, last;
    uint64_t result = 0;

    for (unsigned i = 0; port != 0 && i < ATTEMPTS; i++) {
        any = pm_timer_read(port);
        /* Both ends are edges. */
        if (!pm_timer_wait(port, &any, 1, &first) ||
            !pm_timer_wait(port, &first, PM_TIMER_HZ * MEASURE_MS / 1000, &last))
            return 0;
        uint64_t took = last.tsc - first.tsc;
        result = took * PM_TIMER_HZ / (((last.ticks - first.ticks) & PM_TIMER_MASK) * 1000ULL);
        if (first.doubt + last.doubt <= took / 1000)
            break;
    }
    return result;
}

/* What `took` ticks were measured with may be wrong by: two readings, and a tick of the timer at
 * either end. */
static bool is_exact(const struct sample *first, const struct sample *last)
{
    uint64_t tick = khz * 1000 / PM_TIMER_HZ + 1;

    return (first->doubt + last->doubt + 2 * tick) * EXACT <= last->tsc - first->tsc;
}

/* Measures for longer, until the result is exact: it is only said to be if that comes about. */
static void refine(uint16_t port)
{
    struct sample first = pm_timer_read(port), now;

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        now = pm_timer_read(port);
        if (now.doubt < first.doubt)
            first = now;
    }
    do {
        now = pm_timer_read(port);
        exact = is_exact(&first, &now);
    } while (!exact && now.tsc - first.tsc < khz * REFINE_MS);
    if (exact)
        khz = (now.tsc - first.tsc) * PM_TIMER_HZ /
              (((now.ticks - first.ticks) & PM_TIMER_MASK) * 1000ULL);
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
    uint64_t told = told_by_crystal(), by_pm_timer = measure_by_pm_timer(pm_timer_port);

    khz = by_pm_timer != 0 ? by_pm_timer : measure_by_pit();
    exact = told != 0 && agrees(told);
    if (exact)
        khz = told;
    else if (by_pm_timer != 0)
        refine(pm_timer_port);
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
