/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes faster than the serial line sends, and then spins with interrupts off, without one exit of
 * its own: what it wrote must come out none the less. With less memory it does nothing but spin,
 * from the start. Other vCPUs that there are spin as well.
 */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"
#include "lib/format.h"

#define LINES          40
#define MUCH           (8ULL << 20)
#define CPUID_TOPOLOGY 0xb

static void write_all(const char *text, uint64_t length)
{
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(length) : "d"(UART) : "memory");
}

/* Each vCPU is seen in it. */
static void __attribute__((noinline)) spin(void)
{
    for (;;)
        ;
}

static void start_others(void)
{
    unsigned cpus = cpuid(0, 0).eax < CPUID_TOPOLOGY ? 1 : cpuid(CPUID_TOPOLOGY, 1).ebx;

    for (unsigned i = 1; i < cpus; i++)
        ap_start(i, spin);
}

void guest_main(void)
{
    static char text[LINES * 80];
    int length = 0;

    for (unsigned i = 1; i <= LINES; i++)
        length += format(text + length, sizeof(text) - (size_t)length,
                         "# line %u of %u, as long as a line of a kernel's log\r\n", i, LINES);
    if (memory_end() > MUCH)
        write_all(text, (uint64_t)length);
    start_others();
    spin();
}
