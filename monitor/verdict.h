/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports by which a guest says how it ended, as QEMU's devices isa-debug-exit and pvpanic have
 * them: for kernels that are under test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DEBUG_EXIT_PORT 0xf4
#define PVPANIC_PORT    0x505

struct verdict {
    bool exited;
    uint8_t status; /* of the run's program, when it has exited */
    bool panicked;
};

uint32_t verdict_read(uint16_t port);
void verdict_write(struct verdict *v, uint16_t port, uint32_t value);
