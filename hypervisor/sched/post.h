/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUs tell each other: a word of each thread, in which others set bits, and one interrupt,
 * the kick. Nobody is kicked for a thread that has not taken what it was kicked for, nor while a
 * kick is on its way: so who posts without end interrupts another CPU no more often than its thread
 * there runs. tests/native/sched/post_model.c explores it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A CPU's. */
struct posts {
    uint64_t kicked; /* from when somebody sends a kick until it has come */
};

/* From another CPU. True: a kick has to be sent. */
bool post_put(struct posts *cpu, uint64_t *word, uint64_t bits);

/* On the thread's own: first when a kick has come, */
void post_open(struct posts *cpu);
/* then whether there is something for a thread, which is woken for it, */
bool post_waits(const uint64_t *word);
/* and when that runs, what it is. */
uint64_t post_take(uint64_t *word);
