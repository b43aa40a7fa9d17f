/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of a channel, explored: two processes run the real runtime/channel.c, each access to
 * the shared pages a step of tests/native/tso/tso.h. Rings have two entries.
 *
 * channel_model: nothing goes wrong. channel_model lost|torn: that does, in some scenario.
 */
#include <stdbool.h>
#include <stdint.h>

#include "abi/channel.h"
#include "runtime/channel.h"
#include "runtime/gate.h"
#include "runtime/shared.h"
#include "tests/native/tso/tso.h"

#define WORDS     (sizeof(struct channel) / sizeof(uint32_t))
#define COUNT     5 /* entries in each scenario: rings are filled twice, and wrap */
#define LAST_WORD (CHANNEL_ENTRY_SIZE / 4 - 1)

_Static_assert(CHANNEL_ENTRIES == 2, "the model's own abi/channel.h comes first");

struct process {
    struct channel_end end;
    uint32_t done, batch; /* entries given or taken; those of them since the last flush */
};

struct scenario {
    const char *name;
    bool (*turn[2])(struct process *p); /* the client's, the server's; false: it is done */
};

static struct channel pages; /* its addresses stand for the state's memory */
static const struct scenario *scenario;
static unsigned running;

static size_t word_of(const void *at)
{
    return (size_t)((const uint32_t *)at - (const uint32_t *)&pages);
}

uint32_t shared_load(const uint32_t *at)
{
    return tso_load(word_of(at));
}

void shared_store(uint32_t *at, uint32_t value)
{
    tso_store(word_of(at), value);
}

void shared_fence(void)
{
    tso_fence();
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
    tso_send(!running);
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
        tso_violate("torn");
    return true;
}

static void rest(struct process *p)
{
    channel_flush(&p->end);
    if (channel_sleep(&p->end))
        tso_wait();
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
        tso_wait();
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
        tso_wait();
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
        tso_wait();
    }
    return true;
}

static const struct scenario scenarios[] = {
    {"one by one", {give_one_by_one, take}},
    {"two by two", {give_two_by_two, take}},
    {"gathered", {give_gathered, take}},
    {"questions and answers", {ask, answer}},
};

static void start(void *own, unsigned who)
{
    struct process *p = own;

    p->end.in = &pages.ring[!who];
    p->end.out = &pages.ring[who];
}

static bool turn(void *own, unsigned who)
{
    running = who;
    return scenario->turn[who](own);
}

static const char *choose(unsigned i)
{
    if (i == sizeof(scenarios) / sizeof(scenarios[0]))
        return NULL;
    scenario = &scenarios[i];
    return scenario->name;
}

int main(int argc, char **argv)
{
    static const struct tso_model model = {
        .cpus = 2,
        .words = WORDS,
        .own = sizeof(struct process),
        .scenario = choose,
        .start = start,
        .turn = turn,
    };

    return tso_main(&model, argv[1]);
}
