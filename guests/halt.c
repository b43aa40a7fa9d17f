/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that halts with interrupts off: nothing can wake it. */
#include "guests/lib/guest.h"

static __attribute__((noinline)) void halt_here(void)
{
    __asm__ volatile("cli; hlt");
}

void guest_main(void)
{
    diag("about to halt");
    halt_here();
    bail_out("the kernel wakes up");
}
