/* SPDX-License-Identifier: BSD-2-Clause */
/* A periodic timer that is always due: the guest gets on, if slowly, and so do the others (R41,
 * R42). */
#include "guests/lib/guest.h"

#define TIMER_VECTOR 0x41
#define INTERRUPTS   300

static const char *mode_name;
static volatile unsigned count, advanced;
static volatile uint64_t progress;

/* Stops the timer by itself, at last: on the bare machine what was interrupted may not get a turn
 * before. */
static void on_timer(struct interrupt_frame *frame)
{
    static uint64_t last;

    if (progress != last)
        advanced++;
    last = progress;
    if (++count == INTERRUPTS)
        apic_write(APIC_INITIAL_COUNT, 0);
    apic_eoi();
}

/* While the handler leaves the timer alone, the interrupted code gets on between any two of its
 * interrupts. Those that came while another VM had the CPU may be an exception. */
static void test_period(uint32_t period)
{
    count = advanced = 0;
    apic_write(APIC_INITIAL_COUNT, period);
    interrupts_on();
    while (count < INTERRUPTS)
        progress++;
    interrupts_off();
    ok(count >= INTERRUPTS, "%s: a timer with a period of %u ticks comes again and again",
       mode_name, period);
    if (has_hypervisor())
        ok(advanced > INTERRUPTS * 9 / 10,
           "%s: with a period of %u ticks the interrupted code gets on", mode_name, period);
    else
        skip("a handler may take longer",
             "%s: with a period of %u ticks the interrupted code gets on", mode_name, period);
    diag("%u of %u", advanced, count);
}

/* With IF = 0 nothing is delivered, but the instructions go on. */
static void test_masked(void)
{
    uint64_t start = rdtsc();
    unsigned steps = 0;

    apic_write(APIC_INITIAL_COUNT, 1);
    while (steps < INTERRUPTS)
        steps++;
    apic_write(APIC_INITIAL_COUNT, 0);
    ok(rdtsc() > start, "%s: instructions go on while a timer is always due", mode_name);
}

static void test_mode(enum apic_mode mode, const char *name)
{
    static const uint32_t periods[] = {1, 50, 500, 1000, 2000, 5000};

    mode_name = name;
    apic_enable(mode);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, LVT_TIMER_PERIODIC | TIMER_VECTOR);
    test_masked();
    for (unsigned i = 0; i < ARRAY_SIZE(periods); i++)
        test_period(periods[i]);
}

void guest_main(void)
{
    test_mode(APIC_MEMORY, "xAPIC");
    if (has_x2apic())
        test_mode(APIC_X2, "x2APIC");
}
