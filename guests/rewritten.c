/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU reads a device while another one writes INT3 over the first byte of the load, and takes
 * it away again, all the time: between an exit and the monitor's fetch, too. Each load is done or
 * traps.
 */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"

#define IOAPIC_SELECT  0xfec00000ULL
#define IOAPIC_WINDOW  0xfec00010ULL
#define IOAPIC_VERSION 1
#define UNCLAIMED      0xd0000000ULL
#define VERSION        0x170020
#define LOAD           0x8b
#define INT3           0xcc
#define TICKS          100000000

/* mov (%rbx), %eax; ret */
static volatile uint8_t code[] __attribute__((aligned(64))) = {LOAD, 0x03, 0xc3};
static volatile unsigned traps;

static void on_int3(struct interrupt_frame *frame)
{
    traps++;
    frame->rip--;
}

/* Its own exits have the first vCPU wait for the monitor now and then. */
static void write(void)
{
    for (;;) {
        code[0] = INT3;
        *(volatile uint32_t *)UNCLAIMED;
        code[0] = LOAD;
        *(volatile uint32_t *)UNCLAIMED;
    }
}

static uint32_t load(void)
{
    uint32_t value;

    __asm__ volatile("call *%1" : "=a"(value) : "r"(code), "b"(IOAPIC_WINDOW) : "memory");
    return value;
}

void guest_main(void)
{
    unsigned loads = 0, wrong = 0;

    interrupt_handle(VECTOR_BP, on_int3);
    *(volatile uint32_t *)IOAPIC_SELECT = IOAPIC_VERSION;
    ok(ap_start(1, write), "the one that writes starts");
    for (uint64_t start = rdtsc(); rdtsc() - start < TICKS; loads++)
        wrong += load() != VERSION;
    is(wrong, 0, "each load has its value");
    ok(loads > 0 && traps > 0, "it is met with INT3, and without");
    diag("%u loads, %u traps", loads, traps);
}
