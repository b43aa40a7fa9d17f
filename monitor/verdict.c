/* SPDX-License-Identifier: BSD-2-Clause */
/* isa-debug-exit and pvpanic. */
#include "monitor/verdict.h"

/* What pvpanic can be told; with the second, the guest goes on, into a kernel that saves its
 * memory. */
#define PVPANIC_PANICKED     0x01
#define PVPANIC_CRASH_LOADED 0x02

uint32_t verdict_read(uint16_t port)
{
    return port == PVPANIC_PORT ? PVPANIC_PANICKED | PVPANIC_CRASH_LOADED : 0;
}

void verdict_write(struct verdict *v, uint16_t port, uint32_t value)
{
    if (port == PVPANIC_PORT) {
        v->panicked = value & PVPANIC_PANICKED;
        return;
    }
    v->exited = true;
    v->status = (uint8_t)(value << 1 | 1); /* never 0: QEMU's own end has that */
}
