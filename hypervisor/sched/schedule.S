/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduler begins on an empty stack: it ends in a guest or in ring 3, and never returns to who called it. */
#include "hypervisor/cpu/layout.h"

        .text
        .balign 16
        .global schedule
        .type   schedule, @function
schedule:
        leaq    boot_cpu + CPU_BLOCK_BYTES(%rip), %rsp
        xorl    %ebp, %ebp
        call    schedule_on_empty_stack
        .size   schedule, . - schedule
