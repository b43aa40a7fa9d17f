/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE arithmetic on device memory, which nobody emulates, stops this VM with a report. */
#include "guests/lib/guest.h"

#define UNCLAIMED 0xd0000000ULL

void guest_main(void)
{
    write_cr4(read_cr4() | CR4_OSFXSR);
    diag("about to add device memory with ADDPS");
    __asm__ volatile("addps (%0), %%xmm0" : : "r"(UNCLAIMED) : "memory");
    bail_out("the kernel goes on after an instruction that cannot be emulated");
}
