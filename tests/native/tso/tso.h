/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on a few CPUs that share memory, explored: every order in which their accesses can
 * happen is tried, with the store buffers that x86 processors have (x86-TSO: a store is seen by
 * others some time later, in order; a load sees its own processor's stores at once; a fence, and
 * an instruction with LOCK, wait until all have been seen).
 *
 * A CPU goes by turns. A turn is run again from its start for each of its steps, with the answers
 * that it has had before, up to the access that is new: so it must do nothing but call the
 * functions below and change what the CPU has of its own. States that have been seen are not
 * followed again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TSO_CPUS  3
#define TSO_WORDS 128 /* of shared memory, of 32 bits each */
#define TSO_OWN   128 /* bytes that a CPU has of its own */

struct tso_model {
    unsigned cpus, words;
    size_t own; /* bytes */
    /* Sets up scenario i, and returns its name; a null pointer: there are no more. */
    const char *(*scenario)(unsigned i);
    /* What the CPU has of its own, which is all 0 before; may be missing. */
    void (*start)(void *own, unsigned cpu);
    /* A turn; false: this CPU is done. */
    bool (*turn)(void *own, unsigned cpu);
    /* The CPU is sent an event, while another one still waits for it or not; may be missing. */
    void (*sent)(void *own, unsigned cpu, bool waits);
};

/* Steps, for a turn. Memory is all 0 at first. An event waits in its CPU until it is taken. */
uint32_t tso_load(size_t word);
void tso_store(size_t word, uint32_t value);
void tso_fence(void);
uint32_t tso_or(size_t word, uint32_t bits);    /* with LOCK; returns what was there */
uint32_t tso_add(size_t word, uint32_t value);  /* the same */
uint32_t tso_swap(size_t word, uint32_t value); /* the same */
uint32_t tso_replace(size_t word, uint32_t old, uint32_t value); /* only if it is `old` */
void tso_send(unsigned cpu);
bool tso_poll(void); /* takes the event; false: there is none */
void tso_wait(void); /* takes the event, and waits until there is one */
void tso_idle(void); /* the same, but none need come: the CPU may be done */

/* Something has gone wrong: the exploration ends. */
void tso_violate(const char *what);

/* Explores all scenarios, and prints what comes of each. Returns main's code: 0 if what goes wrong
 * first is `expected`, a null pointer for nothing; "lost": nobody can go on, and not all are done.
 */
int tso_main(const struct tso_model *model, const char *expected);
