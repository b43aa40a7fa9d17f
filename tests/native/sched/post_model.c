/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUs tell each other, explored: two or three of them run the real hypervisor/sched/post.c,
 * each access a step of tests/native/tso/tso.h. A kick waits in its CPU's local APIC until it is
 * taken; a CPU that has nothing to do sleeps until one is.
 *
 * post_model: nothing goes wrong. post_model lost|doubled|flood: that does, in some scenario.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hypervisor/cpu/words.h"
#include "hypervisor/sched/post.h"
#include "tests/native/tso/tso.h"

#define CPUS      TSO_CPUS
#define THREADS   4
#define MAX_POSTS 4

/* What all see. Of each word the lower half is used. */
struct memory {
    struct posts posts[CPUS];
    uint64_t word[THREADS];
};

struct cpu {
    uint32_t posted;          /* of its posts */
    uint32_t marked[THREADS]; /* threads that have been woken and have not run */
    uint32_t got[THREADS];
    uint32_t kicks, takes; /* kicks that it was sent; times that a thread took some */
};

/* Thread n is at home on CPU home[n]; a post is a bit of a thread. */
struct scenario {
    const char *name;
    uint32_t threads, home[THREADS];
    struct {
        uint32_t thread, bit;
    } post[CPUS][MAX_POSTS]; /* bit 0: no more */
};

static const struct scenario scenarios[] = {
    {"one to another", 1, {0}, {{{0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}}}},
    {"one to two threads", 2, {0, 0}, {{{0}}, {{0, 1}, {1, 1}, {0, 2}, {1, 2}}}},
    {"each to the other", 2, {0, 1}, {{{1, 1}, {1, 2}, {1, 4}}, {{0, 1}, {0, 2}, {0, 4}}}},
    {"two to one thread", 1, {0}, {{{0}}, {{0, 1}, {0, 2}}, {{0, 4}, {0, 8}}}},
    {"two to two threads", 2, {0, 0}, {{{0}}, {{0, 1}, {1, 2}}, {{1, 4}, {0, 8}}}},
    {"round", 3, {0, 1, 2}, {{{1, 1}}, {{2, 1}}, {{0, 1}}}},
};

static struct memory shared; /* its addresses stand for the state's memory */
static const struct scenario *scenario;
static uint32_t wanted[THREADS];

static size_t word_of(const uint64_t *at)
{
    return (size_t)(at - (const uint64_t *)&shared) * 2;
}

uint64_t word_load(const uint64_t *word)
{
    return tso_load(word_of(word));
}

void word_store(uint64_t *word, uint64_t value)
{
    tso_store(word_of(word), (uint32_t)value);
}

uint64_t word_or(uint64_t *word, uint64_t bits)
{
    return tso_or(word_of(word), (uint32_t)bits);
}

uint64_t word_swap(uint64_t *word, uint64_t value)
{
    return tso_swap(word_of(word), (uint32_t)value);
}

/* As hypervisor/sched/sched.c has it. */

static void kicked(struct cpu *c, uint32_t me)
{
    post_open(&shared.posts[me]);
    for (uint32_t t = 0; t < scenario->threads; t++)
        if (scenario->home[t] == me && post_waits(&shared.word[t]))
            c->marked[t] = 1;
}

static void run_thread(struct cpu *c, uint32_t t)
{
    uint32_t bits = (uint32_t)post_take(&shared.word[t]);

    c->marked[t] = 0;
    c->takes += bits != 0;
    if (c->got[t] & bits)
        tso_violate("doubled");
    c->got[t] |= bits;
}

static bool turn(void *own, unsigned me)
{
    struct cpu *c = own;

    if (c->posted < MAX_POSTS && scenario->post[me][c->posted].bit != 0) {
        uint32_t t = scenario->post[me][c->posted].thread, to = scenario->home[t];
        if (post_put(&shared.posts[to], &shared.word[t], scenario->post[me][c->posted++].bit))
            tso_send(to);
        if (tso_poll())
            kicked(c, me);
        return true;
    }
    for (uint32_t t = 0; t < scenario->threads; t++)
        if (c->marked[t]) {
            if (tso_poll())
                kicked(c, me);
            run_thread(c, t);
            return true;
        }
    for (uint32_t t = 0; t < scenario->threads; t++)
        if (scenario->home[t] == me && c->got[t] != wanted[t]) {
            tso_wait();
            kicked(c, me);
            return true;
        }
    return false;
}

/* How often a CPU may have been sent a kick: once for each thread, and again when one has taken
 * what it had. */
static uint32_t kicks_allowed(const struct cpu *c, uint32_t who)
{
    uint32_t allowed = c->takes;

    for (uint32_t t = 0; t < scenario->threads; t++)
        allowed += scenario->home[t] == who;
    return allowed;
}

static void kick(void *own, unsigned who, bool waits)
{
    struct cpu *c = own;

    if (waits || ++c->kicks > kicks_allowed(c, who))
        tso_violate("flood");
}

static const char *choose(unsigned i)
{
    if (i == sizeof(scenarios) / sizeof(scenarios[0]))
        return NULL;
    scenario = &scenarios[i];
    memset(wanted, 0, sizeof(wanted));
    for (uint32_t who = 0; who < CPUS; who++)
        for (uint32_t p = 0; p < MAX_POSTS; p++)
            wanted[scenario->post[who][p].thread] |= scenario->post[who][p].bit;
    return scenario->name;
}

int main(int argc, char **argv)
{
    static const struct tso_model model = {
        .cpus = CPUS,
        .words = sizeof(struct memory) / sizeof(uint32_t),
        .own = sizeof(struct cpu),
        .scenario = choose,
        .turn = turn,
        .sent = kick,
    };

    return tso_main(&model, argv[1]);
}
