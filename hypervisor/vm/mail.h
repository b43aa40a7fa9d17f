/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts for a vCPU from other CPUs than its own: a bit for each vector, as in the processor's
 * posted-interrupt descriptor (SDM volume 3, "Posted-Interrupt Processing"), and as many for
 * level-triggered ones. A post says that there are some (hypervisor/sched/post.h), behind them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MAIL_WORDS 4

struct mail {
    uint64_t vectors[2][MAIL_WORDS]; /* edge-triggered, level-triggered */
};

void mail_put(struct mail *m, uint8_t vector, bool level);

/* Takes out the vectors from 64 * n on: bits. */
uint64_t mail_take(struct mail *m, bool level, unsigned n);
