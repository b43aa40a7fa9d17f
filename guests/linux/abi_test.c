/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program may expect from Linux and the CPU below it: system calls, signals, processes,
 * memory, vectors, shadow stacks. */
#include <stdio.h>

#include "guests/linux/tap.h"

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_calls();
    test_signals();
    test_processes();
    test_memory();
    test_vectors();
    test_shadow_stacks();
    return tap_end();
}
