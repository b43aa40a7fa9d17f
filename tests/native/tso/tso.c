/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/native/tso/tso.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS  48
#define MAX_BUFFER 32
#define MAX_DEPTH  2000

enum kind { LOAD, STORE, FENCE, OR, ADD, SWAP, REPLACE, SEND, POLL, WAIT, IDLE, DONE };

struct step {
    uint32_t kind;
    uint32_t word; /* or a CPU */
    uint32_t value;
    uint32_t old; /* of REPLACE */
};

struct cpu {
    uint64_t own[TSO_OWN / sizeof(uint64_t)]; /* as it was when the turn began */
    uint32_t event, buffered, answers;
    struct step next;
    struct step buffer[MAX_BUFFER];
    uint32_t answer[MAX_STEPS]; /* of this turn */
};

struct state {
    uint32_t memory[TSO_WORDS];
    struct cpu cpu[TSO_CPUS];
};

static const struct tso_model *model;
static const char *violation;

/* The CPU that runs. */
static struct cpu *running;
static uint32_t answered;
static jmp_buf stop;

static uint32_t take_step(enum kind kind, size_t word, uint32_t value)
{
    if (answered < running->answers)
        return running->answer[answered++];
    running->next = (struct step){.kind = kind, .word = (uint32_t)word, .value = value};
    longjmp(stop, 1);
}

uint32_t tso_load(size_t word)
{
    return take_step(LOAD, word, 0);
}

void tso_store(size_t word, uint32_t value)
{
    take_step(STORE, word, value);
}

void tso_fence(void)
{
    take_step(FENCE, 0, 0);
}

uint32_t tso_or(size_t word, uint32_t bits)
{
    return take_step(OR, word, bits);
}

uint32_t tso_add(size_t word, uint32_t value)
{
    return take_step(ADD, word, value);
}

uint32_t tso_swap(size_t word, uint32_t value)
{
    return take_step(SWAP, word, value);
}

uint32_t tso_replace(size_t word, uint32_t old, uint32_t value)
{
    if (answered < running->answers)
        return running->answer[answered++];
    running->next = (struct step){REPLACE, (uint32_t)word, value, old};
    longjmp(stop, 1);
}

void tso_send(unsigned cpu)
{
    take_step(SEND, cpu, 0);
}

bool tso_poll(void)
{
    return take_step(POLL, 0, 0) != 0;
}

void tso_wait(void)
{
    take_step(WAIT, 0, 0);
}

void tso_idle(void)
{
    take_step(IDLE, 0, 0);
}

void tso_violate(const char *what)
{
    violation = what;
}

static void run_to_next_step(struct state *s, unsigned who)
{
    static uint64_t trial[TSO_OWN / sizeof(uint64_t)];
    static bool goes_on;

    running = &s->cpu[who];
    do {
        answered = 0;
        memcpy(trial, running->own, sizeof(trial));
        if (setjmp(stop) != 0)
            return;
        goes_on = model->turn(trial, who);
        memcpy(running->own, trial, sizeof(trial));
        running->answers = 0;
    } while (goes_on);
    running->next = (struct step){.kind = DONE};
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
    case FENCE:
    case OR:
    case ADD:
    case SWAP:
    case REPLACE:
        return c->buffered == 0;
    case WAIT:
    case IDLE:
        return c->event != 0;
    default:
        return c->next.kind != DONE;
    }
}

static void send(struct state *s, uint32_t to)
{
    struct cpu *c = &s->cpu[to];

    if (model->sent)
        model->sent(c->own, to, c->event != 0);
    c->event = 1;
}

/* Returns the step's answer. */
static uint32_t effect(struct state *s, struct cpu *c, struct step step)
{
    uint32_t before = step.word < TSO_WORDS ? s->memory[step.word] : 0;

    switch (step.kind) {
    case LOAD:
        return load(s, c, step.word);
    case STORE:
        if (c->buffered == MAX_BUFFER)
            abort();
        c->buffer[c->buffered++] = step;
        return 0;
    case OR:
        s->memory[step.word] |= step.value;
        return before;
    case ADD:
        s->memory[step.word] += step.value;
        return before;
    case REPLACE:
        if (before != step.old)
            return before;
        __attribute__((fallthrough));
    case SWAP:
        s->memory[step.word] = step.value;
        return before;
    case SEND:
        send(s, step.word);
        return 0;
    case POLL:
    case WAIT:
    case IDLE:
        before = c->event;
        c->event = 0;
        return before;
    default:
        return 0;
    }
}

static void make_step(struct state *s, unsigned who)
{
    struct cpu *c = &s->cpu[who];
    uint32_t answer = effect(s, c, c->next);

    if (c->answers == MAX_STEPS)
        abort();
    c->answer[c->answers++] = answer;
    run_to_next_step(s, who);
}

/* What nobody else can tell from its order is done at once. */
static void step_with_what_is_private(struct state *s, unsigned who)
{
    const struct cpu *c = &s->cpu[who];

    make_step(s, who);
    while (violation == NULL &&
           (c->next.kind == STORE || (c->next.kind == FENCE && c->buffered == 0)))
        make_step(s, who);
}

static void drain(struct state *s, unsigned who)
{
    struct cpu *c = &s->cpu[who];

    s->memory[c->buffer[0].word] = c->buffer[0].value;
    c->buffered--;
    memmove(&c->buffer[0], &c->buffer[1], c->buffered * sizeof(c->buffer[0]));
}

/* The states seen, by a hash of 64 bits. */
#define SEEN_SIZE (1u << 24)
static uint64_t *seen;
static unsigned seen_count;

static uint64_t hash_on(uint64_t hash, const void *at, size_t size)
{
    const uint32_t *words = at;

    for (size_t i = 0; i < size / sizeof(*words); i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

static uint64_t hash_of(const struct state *s)
{
    uint64_t hash = hash_on(0xcbf29ce484222325, s->memory, model->words * sizeof(s->memory[0]));

    for (const struct cpu *c = s->cpu; c < &s->cpu[model->cpus]; c++) {
        uint32_t counts[] = {c->event, c->buffered, c->answers};
        hash = hash_on(hash, c->own, model->own);
        hash = hash_on(hash, counts, sizeof(counts));
        hash = hash_on(hash, &c->next, sizeof(c->next));
        hash = hash_on(hash, c->buffer, c->buffered * sizeof(c->buffer[0]));
        hash = hash_on(hash, c->answer, c->answers * sizeof(c->answer[0]));
    }
    return hash | 1;
}

static bool is_new(const struct state *s)
{
    uint64_t hash = hash_of(s);

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

static void follow(const struct state *s, unsigned depth)
{
    struct state *next = malloc(sizeof(*next));
    bool stuck = true, done = true;

    if (depth == MAX_DEPTH)
        abort();
    for (unsigned choice = 0; choice < 2 * model->cpus && violation == NULL; choice++) {
        unsigned who = choice / 2;
        const struct cpu *c = &s->cpu[who];
        done &= c->next.kind == DONE || c->next.kind == IDLE;
        if (choice % 2 == 0 ? !can_step(c) : c->buffered == 0)
            continue;
        stuck = false;
        *next = *s;
        if (choice % 2 == 0)
            step_with_what_is_private(next, who);
        else
            drain(next, who);
        if (violation == NULL && is_new(next))
            follow(next, depth + 1);
    }
    free(next);
    if (violation == NULL && stuck && !done)
        violation = "lost";
}

static void explore(void)
{
    static struct state first;

    memset(&first, 0, sizeof(first));
    seen = calloc(SEEN_SIZE, sizeof(*seen));
    seen_count = 0;
    for (unsigned who = 0; who < model->cpus; who++) {
        if (model->start)
            model->start(first.cpu[who].own, who);
        run_to_next_step(&first, who);
    }
    follow(&first, 0);
    free(seen);
}

int tso_main(const struct tso_model *explored, const char *expected)
{
    const char *name;

    model = explored;
    if (model->cpus > TSO_CPUS || model->words > TSO_WORDS || model->own > TSO_OWN)
        abort();
    for (unsigned i = 0; violation == NULL && (name = model->scenario(i)) != NULL; i++) {
        explore();
        printf("%s: %u states, %s\n", name, seen_count,
               violation == NULL ? "all is well" : violation);
    }
    if (expected == NULL)
        return violation != NULL;
    return violation == NULL || strcmp(violation, expected) != 0;
}
