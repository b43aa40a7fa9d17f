/* SPDX-License-Identifier: BSD-2-Clause */
/* A jump to where there is no memory stops this VM with a report. */
#include "guests/lib/guest.h"

#define UNCLAIMED 0xd0000000ULL

void guest_main(void)
{
    diag("about to jump to device memory");
    __asm__ volatile("jmp *%0" : : "r"(UNCLAIMED));
    bail_out("the kernel goes on after a jump to nowhere");
}
