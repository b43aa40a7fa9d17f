/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduler begins on an empty stack: it ends in a guest or in ring 3, and never returns to who called it. */
#include "hypervisor/cpu/layout.h"

        .text
        .balign 16
        .global schedule
        .type   schedule, @function
schedule:
        orq     $(CPU_BLOCK_SIZE - 8), %rsp    /* the stack's end, as if it had been called */
        xorl    %ebp, %ebp
        jmp     schedule_on_empty_stack
        .size   schedule, . - schedule
