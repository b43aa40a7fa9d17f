/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way to start a PC again, but for port 0xcf9, which `reset` has: CMOS RAM tells which was
 * tried last. On the bare emulator these reach a firmware that does not get through its own start a
 * second time. */
#include "guests/lib/guest.h"

#define CMOS_FREE 0x60
#define MARK      0xb0 /* and the number of the next way */

#define KBC_DATA         0x60
#define KBC_COMMAND      0x64
#define KBC_WRITE_OUTPUT 0xd1
#define KBC_PULSE_RESET  0xfe
#define OUTPUT_RESET     0xfe /* bit 0 is the reset line, and active low */
#define SYSTEM_PORT_A    0x92

#define ICR_INIT   0x500
#define ICR_ASSERT 0x4000

static uint32_t memory = 1;

static void by_pulse(void)
{
    outb(KBC_COMMAND, KBC_PULSE_RESET);
}

static void by_output_port(void)
{
    outb(KBC_COMMAND, KBC_WRITE_OUTPUT);
    outb(KBC_DATA, OUTPUT_RESET);
}

static void by_port_a(void)
{
    outb(SYSTEM_PORT_A, inb(SYSTEM_PORT_A) | 1);
}

static void by_init(void)
{
    apic_enable(APIC_MEMORY);
    apic_write(APIC_ICR_HIGH, apic_read(APIC_ID));
    apic_write(APIC_ICR, ICR_INIT | ICR_ASSERT);
}

static void by_init_x2(void)
{
    if (!has_x2apic()) {
        by_init();
        return;
    }
    apic_enable(APIC_X2);
    wrmsr(MSR_IA32_X2APIC + APIC_ICR / 16,
          (uint64_t)apic_read(APIC_ID) << 32 | ICR_INIT | ICR_ASSERT);
}

static void (*const ways[])(void) = {by_pulse, by_output_port, by_port_a, by_init, by_init_x2};

void guest_main(void)
{
    unsigned next = cmos_read(CMOS_FREE) - MARK;

    if (next > ARRAY_SIZE(ways))
        next = 0;
    if (next < ARRAY_SIZE(ways)) {
        diag("way %u", next);
        cmos_write(CMOS_FREE, (uint8_t)(MARK + next + 1));
        memory = 2;
        ways[next]();
        for (unsigned i = 0; i < 1000; i++)
            cpu_relax();
        cmos_write(CMOS_FREE, 0);
        ok(false, "way %u starts the machine again", next);
        return;
    }
    cmos_write(CMOS_FREE, 0);
    ok(true, "each way starts the machine again");
    is(memory, 1, "the kernel was loaded again");
}
