/* SPDX-License-Identifier: BSD-2-Clause */
/* An SSE store to device memory, which nobody emulates, stops this VM with a report. */
#include "guests/lib/guest.h"

#define UNCLAIMED 0xd0000000ULL

void guest_main(void)
{
    write_cr4(read_cr4() | CR4_OSFXSR);
    diag("about to store to device memory with MOVUPS");
    __asm__ volatile("movups %%xmm0, (%0)" : : "r"(UNCLAIMED) : "memory");
    bail_out("the kernel goes on after a store that cannot be emulated");
}
