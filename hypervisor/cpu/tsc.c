/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/tsc.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/report/panic.h"

#define PM_TIMER_HZ   3579545ULL
#define PM_TIMER_MASK 0xffffffu /* 24 bits are always there */
#define PIT_HZ        1193182ULL
#define MEASURE_MS    20

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

static uint8_t cmos(uint8_t index)
{
    outb(0x70, index); /* bit 7 is clear: NMIs are let through */
    return inb(0x71);
}

static uint32_t from_bcd(uint8_t value, bool bcd)
{
    return bcd ? (uint32_t)(value >> 4) * 10 + (value & 15) : value;
}

/* Days since 1970-01-01 in the Gregorian calendar; year from 1970. */
static uint64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    /* Count years from March, so that the leap day is the last. */
    uint32_t y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

    return 365ULL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

uint64_t wall_clock_read(uint64_t *tsc)
{
    enum {
        SECONDS,
        MINUTES = 2,
        HOURS = 4,
        DAY = 7,
        MONTH = 8,
        YEAR = 9,
        STATUS_A = 10,
        STATUS_B = 11
    };
    uint8_t reg[12];
    uint64_t start = rdtsc();
    bool updating;

    do {
        *tsc = rdtsc();
        if (*tsc - start > PATIENCE)
            return 0;
        updating = cmos(STATUS_A) & 0x80; /* for 2 ms */
        for (uint8_t i = 0; i < sizeof(reg); i++)
            reg[i] = cmos(i);
    } while (updating || cmos(SECONDS) != reg[SECONDS]);

    bool bcd = !(reg[STATUS_B] & 4), twelve = !(reg[STATUS_B] & 2);
    uint32_t hours = from_bcd(reg[HOURS] & 0x7f, bcd);
    if (twelve)
        hours = hours % 12 + (reg[HOURS] & 0x80 ? 12 : 0);
    uint64_t days = days_since_1970(2000 + from_bcd(reg[YEAR], bcd), from_bcd(reg[MONTH], bcd),
                                    from_bcd(reg[DAY], bcd));
    return days * 86400 + hours * 3600 + from_bcd(reg[MINUTES], bcd) * 60 +
           from_bcd(reg[SECONDS], bcd);
}
