/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/cpu/tsc.h"

#include "hypervisor/cpu/instructions.h"
#include "hypervisor/lib/bits.h"

#define PM_TIMER_HZ   3579545ULL
#define PM_TIMER_MASK 0xffffffu /* 24 bits are always there */
#define PIT_HZ        1193182ULL
#define MEASURE_MS    20

uint64_t boot_tsc;

static uint64_t khz;

/* Waits for the PM timer to step, so that both ends of the measurement are edges. */
static uint64_t pm_timer_edge(uint16_t port, uint32_t *ticks)
{
    uint32_t first = inl(port) & PM_TIMER_MASK;

    do
        *ticks = inl(port) & PM_TIMER_MASK;
    while (*ticks == first);
    return rdtsc();
}

static uint64_t measure_by_pm_timer(uint16_t port)
{
    const uint32_t span = PM_TIMER_HZ * MEASURE_MS / 1000;
    uint32_t start, now;
    uint64_t first = pm_timer_edge(port, &start), last;

    do
        last = pm_timer_edge(port, &now);
    while (((now - start) & PM_TIMER_MASK) < span);
    return (last - first) * PM_TIMER_HZ / (((now - start) & PM_TIMER_MASK) * 1000ULL);
}

/* Channel 2 in mode 0, gated by port 61h, whose bit 5 shows its output. */
static uint64_t measure_by_pit(void)
{
    const uint32_t count = PIT_HZ * MEASURE_MS / 1000;

    outb(0x61, (uint8_t)((inb(0x61) & ~2u) | 1));
    outb(0x43, 0xb0);
    outb(0x42, (uint8_t)count);
    outb(0x42, (uint8_t)(count >> 8));
    uint64_t first = rdtsc();
    while (!(inb(0x61) & 0x20))
        cpu_relax();
    return (rdtsc() - first) * PIT_HZ / (count * 1000ULL);
}

void tsc_measure(uint16_t pm_timer_port)
{
    khz = pm_timer_port != 0 ? measure_by_pm_timer(pm_timer_port) : measure_by_pit();
}

uint64_t tsc_khz(void)
{
    return khz;
}

static uint8_t cmos(uint8_t index)
{
    outb(0x70, index | 0x80);
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
    enum { SECONDS, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, STATUS_A = 10, STATUS_B = 11, STATUS_D = 13 };
    uint8_t reg[12];

    do {
        while (cmos(STATUS_A) & 0x80)
            cpu_relax(); /* an update is going on */
        for (uint8_t i = 0; i < sizeof(reg); i++)
            reg[i] = cmos(i);
        *tsc = rdtsc();
    } while (cmos(SECONDS) != reg[SECONDS]);

    outb(0x70, STATUS_D); /* NMIs are let through again */
    bool bcd = !(reg[STATUS_B] & 4), twelve = !(reg[STATUS_B] & 2);
    uint32_t hours = from_bcd(reg[HOURS] & 0x7f, bcd);
    if (twelve)
        hours = hours % 12 + (reg[HOURS] & 0x80 ? 12 : 0);
    uint64_t days = days_since_1970(2000 + from_bcd(reg[YEAR], bcd), from_bcd(reg[MONTH], bcd), from_bcd(reg[DAY], bcd));
    return days * 86400 + hours * 3600 + from_bcd(reg[MINUTES], bcd) * 60 + from_bcd(reg[SECONDS], bcd);
}
