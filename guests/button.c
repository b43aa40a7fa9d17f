/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power button: it sleeps until somebody presses it, and switches itself off, as an operating
 * system does. It never ends by itself.
 */
#include "guests/lib/guest.h"

#define IOAPIC        0xfec00000ULL
#define IOAPIC_WINDOW 0x10
#define REDIRECTION   0x10
#define LEVEL         0x8000

#define PIN_SCI      9
#define VECTOR       0x74
#define PM1_STATUS   0xb000
#define PM1_ENABLE   0xb002
#define POWER_BUTTON 0x100

static volatile unsigned count, status;

static void ioapic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)IOAPIC = reg;
    *(volatile uint32_t *)(IOAPIC + IOAPIC_WINDOW) = value;
}

static void on_sci(struct interrupt_frame *frame)
{
    count++;
    status = inw(PM1_STATUS);
    outw(PM1_STATUS, (uint16_t)status);
    apic_eoi();
}

void guest_main(void)
{
    apic_enable(APIC_MEMORY);
    interrupt_handle(VECTOR, on_sci);
    ioapic_write(REDIRECTION + 2 * PIN_SCI + 1, 0);
    ioapic_write(REDIRECTION + 2 * PIN_SCI, LEVEL | VECTOR);
    if (command_line()[0] == '\0') /* a word: it does not look at its button */
        outw(PM1_ENABLE, POWER_BUTTON);
    serial_write("# ready\r\n");
    while (count == 0)
        sti_hlt_cli();
    is(status, POWER_BUTTON, "the power button has been pressed");
    is(inw(PM1_STATUS), 0, "and is let go of when the guest says so");
    is(count, 1, "of which it hears once");
}
