/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit status by QEMU's isa-debug-exit: of 10h at port f4h the run's program makes 33. */
#include "guests/lib/guest.h"

void guest_main(void)
{
    is(inl(0xf4), 0, "the port reads as QEMU's");
    diag("about to exit");
    outl(0xf4, 0x10);
    bail_out("the kernel goes on after its exit");
}
