/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of a channel, explored: two processes run the real runtime/channel.c, and every
 * order in which their accesses to the shared pages can happen is tried, with the store buffers
 * that x86 processors have (a store is seen by others some time later, in order; a load sees its
 * own processor's stores at once). Rings have two entries.
 *
 * A process goes by turns. A turn is run again from its start for each of its steps, with the
 * answers that it has had before, up to the access that is new. States that have been seen are not
 * followed again.
 *
 * channel_model: nothing goes wrong. channel_model lost|torn: that does, in some scenario.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/channel.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/shared.h"

#define WORDS      (sizeof(struct channel) / sizeof(uint32_t))
#define MAX_STEPS  32
#define MAX_STORES 32
#define MAX_DEPTH  1000
#define COUNT      5 /* entries in each scenario: rings are filled twice, and wrap */
#define LAST_WORD  (CHANNEL_ENTRY_SIZE / 4 - 1)

_Static_assert(CHANNEL_ENTRIES == 2, "the model's own abi/channel.h comes first");

enum kind { LOAD, STORE, FENCE, NOTIFY, WAIT, DONE };

struct step {
    enum kind kind;
    uint32_t word, value;
};

struct process {
    struct channel_end end;
    uint32_t done, batch; /* entries given or taken; those of them since the last flush */
    uint32_t event;
    uint32_t store_count, answer_count;
    struct step next;
    struct {
        uint32_t word, value;
    } store[MAX_STORES];
    uint32_t answer[MAX_STEPS]; /* of this turn */
};

struct state {
    uint32_t memory[WORDS];
    struct process process[2];
};

struct scenario {
    const char *name;
    bool (*turn[2])(struct process *p); /* the client's, the server's; false: it is done */
};

static struct channel pages; /* its addresses stand for the state's memory */
static const struct scenario *scenario;
static const char *violation;

/* The process that runs. */
static struct process *running;
static uint32_t answered;
static jmp_buf stop;

static uint32_t take_step(enum kind kind, uint32_t word, uint32_t value)
{
    if (answered < running->answer_count)
        return running->answer[answered++];
    running->next = (struct step){kind, word, value};
    longjmp(stop, 1);
}

static _Noreturn void violate(const char *what)
{
    violation = what;
    running->next.kind = DONE;
    longjmp(stop, 1);
}

static uint32_t word_of(const void *at)
{
    return (uint32_t)((const uint32_t *)at - (const uint32_t *)&pages);
}

uint32_t shared_load(const uint32_t *at)
{
    return take_step(LOAD, word_of(at), 0);
}

void shared_store(uint32_t *at, uint32_t value)
{
    take_step(STORE, word_of(at), value);
}

void shared_fence(void)
{
    take_step(FENCE, 0, 0);
}

/* Of an entry the first and the last word, one by one. */
void shared_copy(void *to, const void *from, size_t size)
{
    uint32_t *into = to;
    const uint32_t *out_of = from;

    if (word_of(from) < WORDS) {
        into[0] = shared_load(&out_of[0]);
        into[LAST_WORD] = shared_load(&out_of[LAST_WORD]);
    } else {
        shared_store(&into[0], out_of[0]);
        shared_store(&into[LAST_WORD], out_of[LAST_WORD]);
    }
}

void gate_notify(unsigned channel)
{
    take_step(NOTIFY, 0, 0);
}

static void wait(void)
{
    take_step(WAIT, 0, 0);
}

/* The programs. Each entry has a number twice. */

static bool put(struct channel_end *c, uint32_t number)
{
    uint32_t entry[CHANNEL_ENTRY_SIZE / 4] = {number, [LAST_WORD] = number};

    return channel_put(c, entry);
}

static bool get(struct channel_end *c, uint32_t number)
{
    uint32_t entry[CHANNEL_ENTRY_SIZE / 4];

    if (!channel_get(c, entry))
        return false;
    if (entry[0] != number || entry[LAST_WORD] != number)
        violate("torn");
    return true;
}

static void rest(struct process *p)
{
    channel_flush(&p->end);
    if (channel_sleep(&p->end))
        wait();
    channel_awake(&p->end);
}

static bool finish(struct process *p)
{
    channel_flush(&p->end);
    return false;
}

static bool take(struct process *p)
{
    if (p->done == COUNT)
        return finish(p);
    if (get(&p->end, p->done + 1))
        p->done++;
    else
        rest(p);
    return true;
}

static bool give(struct process *p, uint32_t batch)
{
    if (p->done == COUNT)
        return finish(p);
    bool given = put(&p->end, p->done + 1);

    p->done += given;
    if (given && ++p->batch < batch)
        return true;
    p->batch = 0;
    channel_flush(&p->end);
    if (!given)
        wait();
    return true;
}

static bool give_one_by_one(struct process *p)
{
    return give(p, 1);
}

static bool give_two_by_two(struct process *p)
{
    return give(p, 2);
}

/* As a monitor's console: what comes while the other side is busy is kept, and put when it has
 * taken all. */
static bool give_gathered(struct process *p)
{
    if (p->done == COUNT)
        return finish(p);
    p->batch += p->done + p->batch < COUNT;
    if (channel_has_room(&p->end, 1))
        for (; p->batch > 0 && put(&p->end, p->done + 1); p->batch--)
            p->done++;
    else if (p->done + p->batch == COUNT)
        wait();
    channel_flush(&p->end);
    return true;
}

/* Each entry is answered by one: the batch counts what is asked and not answered. */
static bool ask(struct process *p)
{
    if (p->done == COUNT)
        return finish(p);
    if (p->done + p->batch < COUNT && put(&p->end, p->done + p->batch + 1)) {
        p->batch++;
    } else if (get(&p->end, p->done + 1)) {
        p->done++;
        p->batch--;
    } else {
        rest(p);
    }
    return true;
}

/* What has been taken and not answered yet is at most one. */
static bool answer(struct process *p)
{
    if (p->done == COUNT)
        return finish(p);
    if (p->batch == 0 && !get(&p->end, p->done + 1)) {
        rest(p);
        return true;
    }
    p->batch = 1;
    if (put(&p->end, p->done + 1)) {
        p->done++;
        p->batch = 0;
    } else {
        channel_flush(&p->end);
        wait();
    }
    return true;
}

static const struct scenario scenarios[] = {
    {"one by one", {give_one_by_one, take}},
    {"two by two", {give_two_by_two, take}},
    {"gathered", {give_gathered, take}},
    {"questions and answers", {ask, answer}},
};

/* The machine. */

static void run_to_next_step(struct state *s, unsigned who)
{
    struct process *p = &s->process[who];
    static struct process trial;
    static bool goes_on;

    running = p;
    do {
        answered = 0;
        trial = *p;
        if (setjmp(stop) != 0)
            return;
        goes_on = scenario->turn[who](&trial);
        p->end = trial.end;
        p->done = trial.done;
        p->batch = trial.batch;
        p->answer_count = 0;
        memset(p->answer, 0, sizeof(p->answer));
    } while (goes_on);
    p->next = (struct step){.kind = DONE};
}

static uint32_t load(const struct state *s, const struct process *p, uint32_t word)
{
    for (uint32_t i = p->store_count; i-- > 0;)
        if (p->store[i].word == word)
            return p->store[i].value;
    return s->memory[word];
}

static bool can_step(const struct process *p)
{
    switch (p->next.kind) {
    case FENCE:
        return p->store_count == 0;
    case WAIT:
        return p->event != 0;
    default:
        return p->next.kind != DONE;
    }
}

static void make_step(struct state *s, unsigned who)
{
    struct process *p = &s->process[who];
    uint32_t result = 0;

    switch (p->next.kind) {
    case LOAD:
        result = load(s, p, p->next.word);
        break;
    case STORE:
        if (p->store_count == MAX_STORES)
            abort();
        p->store[p->store_count].word = p->next.word;
        p->store[p->store_count++].value = p->next.value;
        break;
    case NOTIFY:
        s->process[!who].event = 1;
        break;
    case WAIT:
        p->event = 0;
        break;
    default:
        break;
    }
    if (p->answer_count == MAX_STEPS)
        abort();
    p->answer[p->answer_count++] = result;
    run_to_next_step(s, who);
}

/* What nobody else can tell from its order is done at once. */
static void step_with_what_is_private(struct state *s, unsigned who)
{
    struct process *p = &s->process[who];

    make_step(s, who);
    while (violation == NULL &&
           (p->next.kind == STORE || (p->next.kind == FENCE && p->store_count == 0)))
        make_step(s, who);
}

static void drain(struct state *s, unsigned who)
{
    struct process *p = &s->process[who];

    s->memory[p->store[0].word] = p->store[0].value;
    p->store_count--;
    memmove(&p->store[0], &p->store[1], p->store_count * sizeof(p->store[0]));
    memset(&p->store[p->store_count], 0, sizeof(p->store[0]));
}

/* The states seen, by a hash of 64 bits. */
#define SEEN_SIZE (1u << 24)
static uint64_t *seen;
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
    bool stuck = true;

    if (depth == MAX_DEPTH)
        abort();
    for (unsigned choice = 0; choice < 4 && violation == NULL; choice++) {
        unsigned who = choice & 1;
        const struct process *p = &s->process[who];
        if (choice < 2 ? !can_step(p) : p->store_count == 0)
            continue;
        stuck = false;
        struct state *next = malloc(sizeof(*next));
        *next = *s;
        if (choice < 2)
            step_with_what_is_private(next, who);
        else
            drain(next, who);
        if (violation == NULL && is_new(next))
            explore(next, depth + 1);
        free(next);
    }
    if (stuck && (s->process[0].next.kind != DONE || s->process[1].next.kind != DONE))
        violation = "lost";
}

int main(int argc, char **argv)
{
    const char *expected = argc > 1 ? argv[1] : NULL;

    seen = calloc(SEEN_SIZE, sizeof(*seen));
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]) && violation == NULL; i++) {
        static struct state start;
        memset(&start, 0, sizeof(start));
        memset(seen, 0, SEEN_SIZE * sizeof(*seen));
        seen_count = 0;
        scenario = &scenarios[i];
        for (unsigned who = 0; who < 2; who++) {
            start.process[who].end =
                (struct channel_end){.in = &pages.ring[!who], .out = &pages.ring[who]};
            run_to_next_step(&start, who);
        }
        explore(&start, 0);
        printf("%s: %u states, %s\n", scenario->name, seen_count,
               violation == NULL ? "all is well" : violation);
    }
    free(seen);
    if (expected == NULL)
        return violation != NULL;
    return violation == NULL || strcmp(violation, expected) != 0;
}
