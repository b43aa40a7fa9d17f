/* SPDX-License-Identifier: BSD-2-Clause */
/* A periodic timer that is always due: the guest gets on, if slowly, and so do the others (R41,
 * R42). */
#include "guests/lib/guest.h"

#define TIMER_VECTOR 0x41
#define INTERRUPTS   300

static volatile unsigned count;

/* Stops the timer by itself: what was interrupted may not get a turn before. */
static void on_timer(struct interrupt_frame *frame)
{
    if (++count == INTERRUPTS)
        apic_write(APIC_INITIAL_COUNT, 0);
    apic_eoi();
}

static void test_period(uint32_t period)
{
    count = 0;
    apic_write(APIC_INITIAL_COUNT, period);
    interrupts_on();
    while (count < INTERRUPTS)
        cpu_relax();
    interrupts_off();
    ok(count >= INTERRUPTS, "a timer with a period of %u ticks comes again and again", period);
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
    ok(rdtsc() > start, "instructions go on while a timer is always due");
}

void guest_main(void)
{
    apic_enable(has_x2apic() ? APIC_X2 : APIC_MEMORY);
    interrupt_handle(TIMER_VECTOR, on_timer);
    apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, APIC_TIMER_PERIODIC | TIMER_VECTOR);
    test_masked();
    test_period(1);
    test_period(50);
}
