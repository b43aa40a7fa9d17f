/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer near the ends of the TSC: 0, 2^63 and 2^64, with the TSC moved while something is armed
 * (R41). A count knows nothing of the TSC's value; a deadline is reached when the TSC is as high,
 * whoever moved it.
 */
#include "guests/lib/guest.h"

#define VECTOR 0x41
#define SHORT  20000
#define LONG   50000000
#define HALF   BIT(63)

static const char *mode_name;
static volatile unsigned count;

static void on_timer(struct interrupt_frame *frame)
{
    count++;
    apic_eoi();
}

/* Stops what may still be armed, and forgets what it has raised. */
static void quiet(void)
{
    apic_write(APIC_INITIAL_COUNT, 0);
    if (has_tsc_deadline())
        wrmsr(MSR_IA32_TSC_DEADLINE, 0);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    count = 0;
}

/* Lets interrupts in until one has come, or for so long. The TSC may pass its end meanwhile. */
static void wait(uint64_t ticks)
{
    uint64_t start = rdtsc();

    interrupts_on();
    while (count == 0 && rdtsc() - start < ticks)
        cpu_relax();
    interrupts_off();
}

static const struct {
    const char *name;
    uint64_t tsc;
} places[] = {
    {"0", 0},
    {"2^41", BIT(41)},
    {"2^63, just before", HALF - SHORT / 2},
    {"2^63, just behind", HALF + SHORT},
    {"2^64, just before", -(uint64_t)SHORT / 2},
    {"2^64, far before", -(uint64_t)LONG},
};

/* A count that is loaded there, and one that was running when the TSC came there. */
static void test_count(uint32_t mode, const char *name, unsigned place)
{
    apic_write(APIC_LVT_TIMER, mode | VECTOR);
    quiet();
    wrmsr(MSR_IA32_TSC, places[place].tsc);
    apic_write(APIC_INITIAL_COUNT, LONG);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1); /* looks at what is due */
    wait(SHORT);
    is(count, 0, "%s: TSC %s: a long %s count does not end early", mode_name, places[place].name,
       name);
    ok(apic_read(APIC_CURRENT_COUNT) > LONG / 2, "%s: TSC %s: and counts", mode_name,
       places[place].name);
    quiet();
    apic_write(APIC_INITIAL_COUNT, SHORT);
    wrmsr(MSR_IA32_TSC, places[place].tsc);
    wait(LONG);
    is(count, 1, "%s: TSC %s: a short %s one ends, though the TSC has moved", mode_name,
       places[place].name, name);
    apic_write(APIC_INITIAL_COUNT, 0);
}

static void test_deadline(unsigned place)
{
    uint64_t tsc = places[place].tsc;

    quiet();
    wrmsr(MSR_IA32_TSC, tsc);
    wrmsr(MSR_IA32_TSC_DEADLINE, 1);
    wait(LONG);
    is(count, 1, "%s: TSC %s: a deadline of 1 is over", mode_name, places[place].name);
    quiet();
    if (rdtsc() < UINT64_MAX - LONG) {
        wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + SHORT);
        wait(LONG);
        is(count, 1, "%s: TSC %s: one that is ahead comes", mode_name, places[place].name);
    }
}

/* The deadline is an absolute TSC. */
static void test_moved_deadline(void)
{
    quiet();
    wrmsr(MSR_IA32_TSC, BIT(40));
    wrmsr(MSR_IA32_TSC_DEADLINE, BIT(41));
    wait(SHORT);
    is(count, 0, "%s: a deadline that is far ahead does not come", mode_name);
    wrmsr(MSR_IA32_TSC, BIT(42));
    wait(LONG);
    is(count, 1, "%s: it comes when the TSC is moved behind it", mode_name);
    quiet();
    wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + SHORT);
    wrmsr(MSR_IA32_TSC, 0);
    is(rdmsr(MSR_IA32_TSC_DEADLINE) > BIT(42), 1, "%s: it stays when the TSC goes back", mode_name);
    wait(3 * SHORT);
    is(count, 0, "%s: and is far ahead then", mode_name);
}

/* IA32_TSC_ADJUST moves the TSC as well. */
static void test_adjust(void)
{
    quiet();
    wrmsr(MSR_IA32_TSC, 0);
    wrmsr(MSR_IA32_TSC_DEADLINE, HALF);
    wrmsr(MSR_IA32_TSC_ADJUST, rdmsr(MSR_IA32_TSC_ADJUST) + HALF);
    wait(LONG);
    is(count, 1, "%s: a deadline that IA32_TSC_ADJUST has passed is over", mode_name);
    wrmsr(MSR_IA32_TSC_ADJUST, rdmsr(MSR_IA32_TSC_ADJUST) - HALF);
    ok(rdtsc() < HALF, "%s: and the TSC goes back by as much", mode_name);
}

static void test_mode(enum apic_mode mode, const char *name)
{
    mode_name = name;
    apic_enable(mode);
    interrupt_handle(VECTOR, on_timer);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        test_count(APIC_TIMER_ONE_SHOT, "one-shot", i);
        test_count(LVT_TIMER_PERIODIC, "periodic", i);
    }
    if (!has_tsc_deadline() || !has_hypervisor()) {
        skip("none, or Bochs's, which knows of no TSC that moves", "%s: the TSC deadline",
             mode_name);
        return;
    }
    apic_write(APIC_LVT_TIMER, LVT_TIMER_DEADLINE | VECTOR);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
        test_deadline(i);
    test_moved_deadline();
    if (has_tsc_adjust())
        test_adjust();
}

void guest_main(void)
{
    test_mode(APIC_MEMORY, "xAPIC");
    if (has_x2apic())
        test_mode(APIC_X2, "x2APIC");
}
