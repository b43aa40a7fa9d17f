/* SPDX-License-Identifier: BSD-2-Clause */
#include "guests/hostile_rows.h"

#include "guests/lib/ap.h"
#include "guests/lib/guest.h"

#define VECTOR     0x41
#define NMI_VECTOR 2

static void use_apic(void)
{
    apic_enable(has_x2apic() ? APIC_X2 : APIC_MEMORY);
}

static unsigned count(void)
{
    return cpuid(0xb, 1).ebx;
}

_Noreturn static void on_all(void (*run)(void))
{
    for (unsigned i = 1; i < count(); i++)
        if (!ap_start(i, run))
            bail_out("vCPU %u does not start", i);
    run();
    __builtin_unreachable();
}

static void compute(void)
{
    for (;;)
        ;
}

void cpus_spin(void)
{
    on_all(compute);
}

static void send_to_others(void)
{
    use_apic();
    interrupts_on();
    for (;;)
        apic_send(0, ICR_OTHERS | VECTOR);
}

void cpus_ipis(void)
{
    on_all(send_to_others);
}

static void sleep(void)
{
    use_apic();
    interrupts_on();
    for (;;)
        __asm__ volatile("hlt");
}

/* Each wakes who sleeps. With interrupts on, or an emulated CPU would not be left for what another
 * one tells it (docs/emulator.md). */
void cpus_wake(void)
{
    for (unsigned i = 1; i < count(); i++)
        ap_start(i, sleep);
    interrupts_on();
    for (;;)
        apic_send(0, ICR_OTHERS | VECTOR);
}

/* Each wakes the next one, and sleeps until it is its turn again. */
static void pass_on(void)
{
    unsigned next = ((cpuid(1, 0).ebx >> 24) + 1) % count();

    use_apic();
    for (;;) {
        apic_send(next, VECTOR);
        sti_hlt_cli();
    }
}

void cpus_relay(void)
{
    on_all(pass_on);
}

void cpus_inits(void)
{
    for (unsigned i = 1; i < count(); i++)
        ap_start(i, compute);
    for (;;) {
        apic_send(0, ICR_OTHERS | ICR_INIT);
        apic_send(0, ICR_OTHERS | ICR_SIPI | AP_VECTOR);
    }
}

static void ignore(struct interrupt_frame *frame)
{
}

static volatile bool all_run;

static void send_nmis(void)
{
    use_apic();
    while (!all_run) /* who starts takes none */
        cpu_relax();
    interrupts_on();
    for (;;)
        apic_send(0, ICR_OTHERS | ICR_NMI);
}

void cpus_nmis(void)
{
    interrupt_handle(NMI_VECTOR, ignore);
    for (unsigned i = 1; i < count(); i++)
        if (!ap_start(i, send_nmis))
            bail_out("vCPU %u does not start", i);
    all_run = true;
    send_nmis();
}

static void use_ports(void)
{
    for (;;)
        inb(0x80);
}

void cpus_ports(void)
{
    on_all(use_ports);
}
