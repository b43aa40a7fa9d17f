/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's clocks (Linux's Documentation/virt/kvm/x86/msr.rst) while the guest moves its TSC; records
 * at the ends of pages and of memory; writes that are refused. Each record is read from where a
 * guest put it, at any multiple of 4.
 */
#include "guests/lib/guest.h"

#define MSR_WALL_CLOCK  0x4b564d00
#define MSR_SYSTEM_TIME 0x4b564d01
#define ENABLED         1
#define NANOSECONDS     1000000000ULL
#define NO_MEMORY       0xd0000000
#define PATTERN         0xa5

struct __attribute__((packed, aligned(4))) system_time {
    uint32_t version, padding;
    uint64_t tsc_timestamp, system_time;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, padding2[2];
};

struct wall_clock {
    uint32_t version, seconds, nanoseconds;
};

static volatile struct system_time record;

static uint64_t time_of(const volatile struct system_time *r)
{
    uint64_t ticks = rdtsc() - r->tsc_timestamp;

    ticks = r->shift >= 0 ? ticks << r->shift : ticks >> -r->shift;
    return r->system_time + (uint64_t)((unsigned __int128)ticks * r->multiplier >> 32);
}

/* The guest's TSC is moved; to everybody who reads the clock this is nothing. */
static void moved(uint32_t index, uint64_t value, const char *how)
{
    uint64_t before = time_of(&record), after;
    uint32_t version = record.version;

    wrmsr(index, value);
    after = time_of(&record);
    ok(after >= before && after - before < NANOSECONDS, "the clock goes on when %s", how);
    ok(record.version != version && record.version % 2 == 0, "a new, even version when %s", how);
    diag("%lu ns, %lu ns; versions %u, %u", before, after, version, record.version);
}

static void test_tsc(void)
{
    wrmsr(MSR_SYSTEM_TIME, (uintptr_t)&record | ENABLED);
    is(record.version % 2, 0, "the version is even");
    moved(MSR_IA32_TSC, rdtsc() + BIT(36), "the TSC is set on");
    moved(MSR_IA32_TSC, 0, "the TSC is set to 0");
    moved(MSR_IA32_TSC, BIT(63) - 1000, "the TSC is about to reach 2^63");
    moved(MSR_IA32_TSC, -1000ULL, "the TSC is about to go round");
    moved(MSR_IA32_TSC_ADJUST, 0, "TSC_ADJUST is set to 0");
    moved(MSR_IA32_TSC_ADJUST, BIT(40), "TSC_ADJUST is set on");
    moved(MSR_IA32_TSC_ADJUST, -BIT(40), "TSC_ADJUST is set back");
    moved(MSR_SYSTEM_TIME, (uintptr_t)&record | ENABLED, "the MSR is written again");
    wrmsr(MSR_IA32_TSC_ADJUST, 0);
}

static bool is_time(const volatile struct system_time *r)
{
    uint64_t here = time_of(&record), there = time_of(r);

    return there >= here && there - here < NANOSECONDS;
}

static void test_page_ends(void)
{
    uint8_t *pages = page_alloc();
    bool all = page_alloc() == pages + PAGE_SIZE;

    for (unsigned before = 0; before <= sizeof(record) && all; before += 4) {
        uint8_t *at = pages + PAGE_SIZE - before;
        wrmsr(MSR_SYSTEM_TIME, (uintptr_t)at | ENABLED);
        all = is_time((struct system_time *)at);
    }
    ok(all, "the clock may lie over the end of a page, at each multiple of 4");
    wrmsr(MSR_WALL_CLOCK, (uintptr_t)&pages[PAGE_SIZE - 4]);
    ok(((struct wall_clock *)&pages[PAGE_SIZE - 4])->seconds > 1600000000,
       "and so may the wall clock");
}

/* A record of which only the first bytes lie in memory: #GP, and nothing has changed. */
static void refused(uint32_t index, uint64_t at, unsigned inside, const char *how)
{
    volatile uint8_t *bytes = (volatile uint8_t *)at;
    uint64_t before = rdmsr(index);
    bool kept = true;

    for (unsigned i = 0; i < inside; i++)
        bytes[i] = PATTERN;
    is_trap(try_wrmsr(index, at | (index == MSR_SYSTEM_TIME ? ENABLED : 0)), VECTOR_GP, 0,
            "%s is refused", how);
    is(rdmsr(index), before, "%s leaves the MSR as it was", how);
    for (unsigned i = 0; i < inside; i++)
        kept = kept && bytes[i] == PATTERN;
    ok(kept, "%s leaves memory as it was", how);
}

static void test_refused(void)
{
    wrmsr(MSR_SYSTEM_TIME, (uintptr_t)&record | ENABLED);
    refused(MSR_SYSTEM_TIME, NO_MEMORY, 0, "a clock where no memory is");
    refused(MSR_SYSTEM_TIME, memory_end() - 16, 16, "a clock over the end of memory");
    refused(MSR_SYSTEM_TIME, -16ULL, 0, "a clock at the last address");
    refused(MSR_WALL_CLOCK, memory_end() - 8, 8, "a wall clock over the end of memory");
    moved(MSR_IA32_TSC, 0, "a write was refused before");
    is_no_trap(try_wrmsr(MSR_SYSTEM_TIME, NO_MEMORY), "no clock needs no memory");
    uint32_t version = record.version;
    wrmsr(MSR_IA32_TSC, 0);
    is(record.version, version, "a clock that is switched off is not written");
}

void guest_main(void)
{
    if (!has_kvmclock()) {
        skip("no KVM's interface", "all");
        return;
    }
    test_tsc();
    test_page_ends();
    test_refused();
}
