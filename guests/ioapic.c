/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOAPIC's inputs: one that nothing drives, and interrupts that no local APIC takes at first.
 */
#include "guests/lib/guest.h"

#define IOAPIC        0xfec00000ULL
#define IOAPIC_WINDOW 0x10
#define REDIRECTION   0x10

#define ACTIVE_LOW 0x2000
#define REMOTE_IRR 0x4000
#define LEVEL      0x8000
#define MASKED     0x10000
#define LOGICAL    0x800

#define PIN_UART        4
#define PIN_UNCONNECTED 17
#define VECTOR          0x74
#define VECTOR_ILLEGAL  3
#define ID_OF_NOBODY    7

#define MCR_OUT2        0x08 /* lets the interrupt out of the chip */
#define IER_TRANSMITTER 0x02

static volatile unsigned count;

static void ioapic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)IOAPIC = reg;
    *(volatile uint32_t *)(IOAPIC + IOAPIC_WINDOW) = value;
}

static uint32_t ioapic_read(unsigned reg)
{
    *(volatile uint32_t *)IOAPIC = reg;
    return *(volatile uint32_t *)(IOAPIC + IOAPIC_WINDOW);
}

static void set_entry(unsigned pin, uint32_t low, uint32_t destination)
{
    ioapic_write(REDIRECTION + 2 * pin + 1, destination << 24);
    ioapic_write(REDIRECTION + 2 * pin, low);
}

/* Takes the cause away; should that not do, the interrupt is masked, so that the test goes on. */
static void on_interrupt(struct interrupt_frame *frame)
{
    outb(UART_IER, 0);
    if (++count > 10) {
        set_entry(PIN_UART, MASKED, 0);
        set_entry(PIN_UNCONNECTED, MASKED, 0);
    }
    apic_eoi();
}

/* The transmitter's interrupt, whose handler takes it away. */
static void raise_line(void)
{
    while (!(inb(UART_LSR) & UART_LSR_TEMT))
        cpu_relax();
    count = 0;
    outb(UART_MCR, MCR_OUT2);
    outb(UART_IER, IER_TRANSMITTER);
}

static void take(void)
{
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

static void end(void)
{
    take();
    outb(UART_IER, 0);
    outb(UART_MCR, 0);
    set_entry(PIN_UART, MASKED, 0);
}

/* As an operating system sets up the inputs of PCI devices. */
static void test_unconnected(void)
{
    count = 0;
    set_entry(PIN_UNCONNECTED, LEVEL | ACTIVE_LOW | VECTOR, 0);
    take();
    is(count, 0, "an input that nothing drives is inactive: by level, active low");
    set_entry(PIN_UNCONNECTED, ACTIVE_LOW | VECTOR, 0);
    take();
    is(count, 0, "an input that nothing drives is inactive: by edge, active low");
    set_entry(PIN_UNCONNECTED, MASKED, 0);
}

static void test_nobody(uint32_t trigger, const char *name)
{
    uint32_t remote;

    set_entry(PIN_UART, trigger | VECTOR, ID_OF_NOBODY);
    raise_line();
    take();
    is(count, 0, "%s: no local APIC has the id", name);
    remote = ioapic_read(REDIRECTION + 2 * PIN_UART) & REMOTE_IRR;
    set_entry(PIN_UART, trigger | VECTOR, 0);
    end();
    is(remote, 0, "%s: remote IRR is clear meanwhile", name);
    is(count, 1, "%s: it comes when the destination is right", name);
}

/* The bare emulator takes an edge with an illegal vector for accepted. */
static void test_illegal_vector(uint32_t trigger, const char *name)
{
    if (trigger != LEVEL && !has_hypervisor()) {
        skip("the bare emulator accepts it", "%s: it comes when the vector is right", name);
        return;
    }
    set_entry(PIN_UART, trigger | VECTOR_ILLEGAL, 0);
    raise_line();
    take();
    set_entry(PIN_UART, trigger | VECTOR, 0);
    end();
    is(count, 1, "%s: it comes when the vector is right", name);
}

/* The local APIC puts it right, which the IOAPIC does not hear of; a chip tries all the time. The
 * bare emulator tries only when something happens to the IOAPIC. */
static void test_local_apic(void)
{
    static const char *const names[] = {
        "the APIC was off: it comes when it is switched on by software",
        "the APIC was off by IA32_APIC_BASE: it comes when it is on again",
        "the APIC has the logical id now: it comes",
    };

    if (!has_hypervisor()) {
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
            skip("the bare emulator does not try again", "%s", names[i]);
        return;
    }
    apic_write(APIC_SVR, SPURIOUS_VECTOR);
    set_entry(PIN_UART, LEVEL | VECTOR, 0);
    raise_line();
    apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
    end();
    is(count, 1, "%s", names[0]);

    wrmsr(MSR_IA32_APIC_BASE, rdmsr(MSR_IA32_APIC_BASE) & ~(uint64_t)APIC_BASE_ENABLE);
    set_entry(PIN_UART, LEVEL | VECTOR, 0);
    raise_line();
    apic_enable(APIC_MEMORY);
    end();
    is(count, 1, "%s", names[1]);

    apic_write(APIC_LDR, 1U << 24);
    set_entry(PIN_UART, LOGICAL | VECTOR, 2);
    raise_line();
    apic_write(APIC_LDR, 2U << 24);
    end();
    is(count, 1, "%s", names[2]);
}

/* In x2APIC mode the registers are MSRs, and of no concern to the board. */
static void test_local_apic_x2(void)
{
    const char *name = "x2APIC mode: it comes when the APIC is switched on by software";

    if (!has_x2apic() || !has_hypervisor()) {
        skip("no x2APIC, or the bare emulator does not try again", "%s", name);
        return;
    }
    apic_enable(APIC_X2);
    apic_write(APIC_SVR, SPURIOUS_VECTOR);
    set_entry(PIN_UART, LEVEL | VECTOR, 0);
    raise_line();
    apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
    end();
    is(count, 1, "%s", name);
}

void guest_main(void)
{
    apic_enable(APIC_MEMORY);
    interrupt_handle(VECTOR, on_interrupt);
    test_unconnected();
    test_nobody(LEVEL, "by level");
    test_nobody(0, "by edge");
    test_illegal_vector(LEVEL, "by level");
    test_illegal_vector(0, "by edge");
    test_local_apic();
    test_local_apic_x2();
}
