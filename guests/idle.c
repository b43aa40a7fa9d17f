/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest kernel: it starts, says so, and powers off. */
#include "guests/lib/guest.h"

void guest_main(void)
{
    ok(true, "the kernel runs");
}
