/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUs tell each other, explored: two or three of them run the real hypervisor/sched/post.c,
 * and every order in which their accesses can happen is tried, with the store buffers that x86
 * processors have (x86-TSO: a store is seen by others some time later, in order; a load sees its
 * own processor's stores at once; an instruction with LOCK waits until all have been seen, and is
 * one step). A kick waits in its CPU's local APIC until it is taken; a CPU that has nothing to do
 * sleeps until one is.
 *
 * A CPU goes by turns. A turn is run again from its start for each of its steps, with the answers
 * that it has had before, up to the access that is new. States that have been seen are not followed
 * again.
 *
 * post_model: nothing goes wrong. post_model lost|doubled|flood: that does, in some scenario.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/cpu/words.h"
#include "hypervisor/sched/post.h"

#define CPUS       3
#define THREADS    4
#define MAX_POSTS  4
#define MAX_STEPS  24
#define MAX_BUFFER 8
#define MAX_DEPTH  2000

enum kind { LOAD, STORE, OR, SWAP, KICK, POLL, SLEEP, DONE };

struct step {
    enum kind kind;
    uint32_t word; /* or a CPU */
    uint32_t value;
};

/* What all see. */
struct memory {
    struct posts posts[CPUS];
    uint64_t word[THREADS];
};
#define WORDS (sizeof(struct memory) / sizeof(uint64_t))

struct cpu {
    uint32_t posted;          /* of its posts */
    uint32_t marked[THREADS]; /* threads that have been woken and have not run */
    uint32_t got[THREADS];
    uint32_t pending, kicks,
        takes; /* a kick; kicks that it was sent; times that a thread took some */
    uint32_t buffered, answers;
    struct step next;
    struct step buffer[MAX_BUFFER];
    uint32_t answer[MAX_STEPS]; /* of this turn */
};

struct state {
    uint32_t memory[WORDS];
    struct cpu cpu[CPUS];
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
static const char *violation;
static uint32_t wanted[THREADS];

/* The CPU that runs. */
static struct cpu *running;
static uint32_t answered;
static jmp_buf stop;

static uint32_t take_step(enum kind kind, uint32_t word, uint32_t value)
{
    if (answered < running->answers)
        return running->answer[answered++];
    running->next = (struct step){kind, word, value};
    longjmp(stop, 1);
}

static uint32_t word_of(const uint64_t *at)
{
    return (uint32_t)(at - (const uint64_t *)&shared);
}

uint64_t word_load(const uint64_t *word)
{
    return take_step(LOAD, word_of(word), 0);
}

void word_store(uint64_t *word, uint64_t value)
{
    take_step(STORE, word_of(word), (uint32_t)value);
}

uint64_t word_or(uint64_t *word, uint64_t bits)
{
    return take_step(OR, word_of(word), (uint32_t)bits);
}

uint64_t word_swap(uint64_t *word, uint64_t value)
{
    return take_step(SWAP, word_of(word), (uint32_t)value);
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
        violation = "doubled";
    c->got[t] |= bits;
}

/* A turn; false: this CPU is done. */
static bool turn(struct cpu *c, uint32_t me)
{
    if (c->posted < MAX_POSTS && scenario->post[me][c->posted].bit != 0) {
        uint32_t t = scenario->post[me][c->posted].thread, to = scenario->home[t];
        if (post_put(&shared.posts[to], &shared.word[t], scenario->post[me][c->posted++].bit))
            take_step(KICK, to, 0);
        if (take_step(POLL, me, 0))
            kicked(c, me);
        return true;
    }
    for (uint32_t t = 0; t < scenario->threads; t++)
        if (c->marked[t]) {
            if (take_step(POLL, me, 0))
                kicked(c, me);
            run_thread(c, t);
            return true;
        }
    for (uint32_t t = 0; t < scenario->threads; t++)
        if (scenario->home[t] == me && c->got[t] != wanted[t]) {
            take_step(SLEEP, me, 0);
            kicked(c, me);
            return true;
        }
    return false;
}

/* The machine. */

static void run_to_next_step(struct state *s, uint32_t who)
{
    struct cpu *c = &s->cpu[who];
    static struct cpu trial;
    static bool goes_on;

    running = c;
    do {
        answered = 0;
        trial = *c;
        if (setjmp(stop) != 0)
            return;
        goes_on = turn(&trial, who);
        trial.answers = 0;
        memset(trial.answer, 0, sizeof(trial.answer));
        *c = trial;
    } while (goes_on);
    c->next = (struct step){.kind = DONE};
}

static uint32_t load(const struct state *s, const struct cpu *c, uint32_t word)
{
    for (uint32_t i = c->buffered; i-- > 0;)
        if (c->buffer[i].word == word)
            return c->buffer[i].value;
    return s->memory[word];
}

static bool can_step(const struct cpu *c)
{
    switch (c->next.kind) {
    case OR:
    case SWAP:
        return c->buffered == 0;
    case SLEEP:
        return c->pending;
    default:
        return c->next.kind != DONE;
    }
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

static void kick(struct state *s, uint32_t who)
{
    struct cpu *c = &s->cpu[who];

    if (c->pending || ++c->kicks > kicks_allowed(c, who))
        violation = "flood";
    c->pending = 1;
}

static void make_step(struct state *s, uint32_t who)
{
    struct cpu *c = &s->cpu[who];
    struct step step = c->next;
    uint32_t result = 0;

    switch (step.kind) {
    case LOAD:
        result = load(s, c, step.word);
        break;
    case STORE:
        if (c->buffered == MAX_BUFFER)
            abort();
        c->buffer[c->buffered++] = step;
        break;
    case OR:
        result = s->memory[step.word];
        s->memory[step.word] |= step.value;
        break;
    case SWAP:
        result = s->memory[step.word];
        s->memory[step.word] = step.value;
        break;
    case KICK:
        kick(s, step.word);
        break;
    case POLL:
    case SLEEP:
        result = c->pending;
        c->pending = 0;
        break;
    case DONE:
        break;
    }
    if (c->answers == MAX_STEPS)
        abort();
    c->answer[c->answers++] = result;
    run_to_next_step(s, who);
}

static void drain(struct state *s, struct cpu *c)
{
    s->memory[c->buffer[0].word] = c->buffer[0].value;
    c->buffered--;
    memmove(&c->buffer[0], &c->buffer[1], c->buffered * sizeof(c->buffer[0]));
    memset(&c->buffer[c->buffered], 0, sizeof(c->buffer[0]));
}

/* The states seen, by a hash of 64 bits. */
#define SEEN_SIZE (1u << 22)
static uint64_t seen[SEEN_SIZE];
static unsigned seen_count;

static bool is_new(const struct state *s)
{
    const uint32_t *words = (const uint32_t *)s;
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < sizeof(*s) / 4; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    hash |= 1;
    for (uint64_t i = hash >> 20;; i++) {
        if (seen[i % SEEN_SIZE] == hash)
            return false;
        if (seen[i % SEEN_SIZE] == 0) {
            seen[i % SEEN_SIZE] = hash;
            if (++seen_count > SEEN_SIZE / 2)
                abort();
            return true;
        }
    }
}

static void explore(const struct state *s, unsigned depth)
{
    bool stuck = true, done = true;

    if (depth == MAX_DEPTH)
        abort();
    for (uint32_t choice = 0; choice < 2 * CPUS && violation == NULL; choice++) {
        uint32_t who = choice / 2;
        const struct cpu *c = &s->cpu[who];
        done &= c->next.kind == DONE;
        if (choice % 2 == 0 ? !can_step(c) : c->buffered == 0)
            continue;
        stuck = false;
        struct state next = *s;
        if (choice % 2 == 0)
            make_step(&next, who);
        else
            drain(&next, &next.cpu[who]);
        if (violation == NULL && is_new(&next))
            explore(&next, depth + 1);
    }
    if (violation == NULL && stuck && !done)
        violation = "lost";
}

static void start(void)
{
    struct state s;

    memset(&s, 0, sizeof(s));
    memset(seen, 0, sizeof(seen));
    memset(wanted, 0, sizeof(wanted));
    seen_count = 0;
    for (uint32_t who = 0; who < CPUS; who++)
        for (uint32_t i = 0; i < MAX_POSTS; i++)
            wanted[scenario->post[who][i].thread] |= scenario->post[who][i].bit;
    for (uint32_t who = 0; who < CPUS; who++)
        run_to_next_step(&s, who);
    explore(&s, 0);
}

int main(int argc, char **argv)
{
    const char *expected = argc > 1 ? argv[1] : NULL;

    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]) && violation == NULL; i++) {
        scenario = &scenarios[i];
        start();
        printf("%s: %u states, %s\n", scenario->name, seen_count,
               violation == NULL ? "all is well" : violation);
    }
    if (expected == NULL)
        return violation != NULL;
    return violation == NULL || strcmp(violation, expected) != 0;
}
