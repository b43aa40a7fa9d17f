/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it takes to reach another vCPU (bench/smp): from the write to the ICR until what the other
 * one's handler writes is seen, while that one spins and while it has halted. Prints
 * OPERATION,INSTRUCTIONS. Two vCPUs, each alone on its CPU; the TSC counts what one of them
 * executes.
 */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"

#define VECTOR 0x61
#define RUNS   32
#define SETTLE 20000 /* TSC ticks: the other one has halted, or its kick's patience is over */

static volatile unsigned seen;
static volatile bool ready;

static void on_interrupt(struct interrupt_frame *frame)
{
    seen++;
    apic_eoi();
}

static void begin(void)
{
    apic_enable(APIC_X2);
    interrupts_on();
    ready = true;
}

/* No PAUSE: that would exit. */
static void spin(void)
{
    begin();
    for (;;)
        ;
}

static void halt(void)
{
    begin();
    for (;;)
        __asm__ volatile("hlt");
}

static void settle(void)
{
    for (uint64_t start = rdtsc(); rdtsc() - start < SETTLE;)
        ;
}

/* The mean of some runs: the CPUs of an emulator take turns of a few instructions. */
static void measure(const char *what, void (*other)(void))
{
    uint64_t sum = 0;

    ready = false;
    seen = 0;
    if (!ap_start(1, other))
        bail_out("the other vCPU does not start");
    while (!ready)
        ;
    for (unsigned run = 1; run <= RUNS; run++) {
        settle();
        uint64_t start = rdtsc();
        wrmsr(MSR_IA32_X2APIC + APIC_ICR / 16, 1ULL << 32 | VECTOR);
        while (seen != run)
            ;
        sum += rdtsc() - start;
    }
    print("%s,%lu\n", what, sum / RUNS);
}

void guest_main(void)
{
    interrupt_handle(VECTOR, on_interrupt);
    apic_enable(APIC_X2);
    measure("IPI to a vCPU that spins", spin);
    measure("IPI to a vCPU that has halted", halt);
    ok(true, "measured");
}
