/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that spins for ever with interrupts off: where, the run's end at its limit must say. */
#include "guests/lib/guest.h"

static __attribute__((noinline)) void lost_here(void)
{
    __asm__ volatile("1: jmp 1b" ::"a"(0x1234567890abcdef));
}

void guest_main(void)
{
    diag("about to get lost");
    lost_here();
}
