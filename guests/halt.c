/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that halts with interrupts off: nothing can wake it. Where there is a second vCPU, that
 * one takes itself off behind it. */
#include "guests/lib/ap.h"
#include "guests/lib/guest.h"

#define BEHIND 10000000 /* TSC ticks */

static __attribute__((noinline)) void halt_here(void)
{
    __asm__ volatile("cli; hlt");
}

static void leave_behind(void)
{
    apic_enable(APIC_MEMORY);
    for (uint64_t start = rdtsc(); rdtsc() - start < BEHIND;)
        cpu_relax();
    apic_send(1, ICR_INIT);
    bail_out("a vCPU that has sent itself an INIT goes on");
}

void guest_main(void)
{
    apic_enable(APIC_MEMORY);
    if (cpuid(0xb, 1).ebx > 1 && !ap_start(1, leave_behind))
        bail_out("vCPU 1 does not start");
    diag("about to halt");
    halt_here();
    bail_out("the kernel wakes up");
}
