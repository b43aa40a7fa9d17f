/* SPDX-License-Identifier: BSD-2-Clause */
/* R17: a triple fault restarts this VM, as it does a PC, or stops it, with a report. CMOS RAM tells
 * the second start. */
#include "guests/lib/guest.h"

#define CMOS_FREE 0x60
#define MARK      0xa7

void guest_main(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};

    if (cmos_read(CMOS_FREE) == MARK) {
        cmos_write(CMOS_FREE, 0);
        ok(true, "a triple fault restarts the machine");
        return;
    }
    cmos_write(CMOS_FREE, MARK);
    diag("about to raise a triple fault");
    __asm__ volatile("lidt %0; int3" : : "m"(empty));
    bail_out("the kernel goes on after a triple fault");
}
