/* SPDX-License-Identifier: BSD-2-Clause */
/* R17: a triple fault stops this VM with a report. Expected to end without a plan. */
#include "guests/lib/guest.h"

void guest_main(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};

    diag("about to raise a triple fault");
    __asm__ volatile("lidt %0; int3" : : "m"(empty));
    bail_out("the kernel goes on after a triple fault");
}
