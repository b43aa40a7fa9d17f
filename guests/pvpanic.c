/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that panics and says so by QEMU's pvpanic. */
#include "guests/lib/guest.h"

#define PVPANIC      0x505
#define PANICKED     0x01
#define CRASH_LOADED 0x02

void guest_main(void)
{
    is(inb(PVPANIC), PANICKED | CRASH_LOADED, "pvpanic says what it can be told");
    outb(PVPANIC, CRASH_LOADED);
    ok(true, "a kernel goes on into the one that saves its memory");
    outb(PVPANIC, PANICKED);
    bail_out("the kernel goes on after its panic");
}
