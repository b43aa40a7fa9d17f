/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts for a vCPU from other CPUs than its own: a bit for each vector, as in the processor's
 * posted-interrupt descriptor (SDM volume 3, "Posted-Interrupt Processing"), and as many for
 * level-triggered ones. A post says in which words there are some (hypervisor/sched/post.h), behind
 * them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MAIL_WORDS 8
#define MAIL_LEVEL 4 /* the first word of level-triggered ones */

struct mail {
    uint64_t vectors[MAIL_WORDS]; /* in each word 64 */
};

/* Returns in which word it is. */
unsigned mail_put(struct mail *m, uint8_t vector, bool level);

/* Takes out what is in word n: bits, of vectors from 64 * (n % MAIL_LEVEL) on. */
uint64_t mail_take(struct mail *m, unsigned n);
