/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the vCPUs of a VM agree on, explored: each is at home on a CPU of its own, where the real
 * hypervisor/vm/agree.c, mail.c and hypervisor/sched/post.c run, each access a step of
 * tests/native/tso/tso.h, and around them what hypervisor/vm/several.c makes of them.
 *
 * agree_model: nothing goes wrong. agree_model WHAT: that does, in some scenario: "two" have the
 * monitor; all are "dead" while one lives; one "runs" although the machine starts anew, or is
 * started by something "stale"; an interrupt comes "doubled"; or something is "lost", and somebody
 * waits for ever.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hypervisor/cpu/words.h"
#include "hypervisor/sched/post.h"
#include "hypervisor/vm/agree.h"
#include "hypervisor/vm/mail.h"
#include "tests/native/tso/tso.h"

#define CPUS   TSO_CPUS
#define MAX_DO 7

/* As in several.c. */
#define MAIL_INTERRUPTS (1u | 1u << MAIL_LEVEL) /* by words; only those two are used */
#define MAIL_SIGNALS    2u
#define MAIL_CALLED     4u
#define MAIL_BEGIN      8u
#define MAIL_RESET      32u

/* What all see. Of each word the lower half is used. */
struct memory {
    struct agree agree;
    uint64_t signals[CPUS], mail[CPUS], dead_posted;
    struct mail interrupts[CPUS];
    struct posts posts[CPUS];
    /* the model's own: somebody has the monitor; all rest; the machine has started anew */
    uint64_t busy, dead, again;
};

enum mode { OFF, RUNS, WAITS, HAS_MONITOR };

struct cpu {
    uint32_t number;
    uint32_t mode, rests, halted, nmi, init, sipi;
    uint32_t done;                                   /* of what it has to do */
    uint32_t starts, nmis, inits, halts, interrupts; /* that came */
    uint32_t again;                                  /* it runs since the machine started anew */
};

enum what { END, TAKE, GIVE, NMI, INIT, SIPI, HALT, INTERRUPT, RESET, AGAIN };

/* What a vCPU does, and to whom; and what comes to it, until all of which it is there. */
struct script {
    struct {
        uint8_t what, to;
    } todo[MAX_DO];
    uint32_t starts, nmis, inits, halts, interrupts;
};

/* What a row leaves out is 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static const struct scenario {
    const char *name;
    uint32_t awake; /* so many run at first */
    struct script cpu[CPUS];
} scenarios[] = {
    {"two want the monitor",
     2,
     {{{{TAKE}, {GIVE}, {TAKE}, {GIVE}}}, {{{TAKE}, {GIVE}, {TAKE}, {GIVE}}}}},
    {"three want the monitor", 3, {{{{TAKE}, {GIVE}}}, {{{TAKE}, {GIVE}}}, {{{TAKE}, {GIVE}}}}},
    {"an NMI ends a rest", 2, {{{{NMI, 1}, {HALT}}, .halts = 1}, {{{HALT}}, .nmis = 1}}},
    {"two NMIs in a row", 2, {{{{HALT}}, .nmis = 1, .halts = 1}, {{{NMI, 0}, {NMI, 0}, {HALT}}}}},
    {"two send an NMI",
     3,
     {{{{NMI, 1}, {HALT}}, .halts = 1}, {{{HALT}}, .nmis = 1}, {{{NMI, 1}, {HALT}}}}},
    {"a start and a rest", 1, {{{{SIPI, 1}, {HALT}}, .halts = 1}, {{{HALT}}, .starts = 1}}},
    {"each starts the next one",
     1,
     {{{{SIPI, 1}, {HALT}}, .halts = 1},
      {{{SIPI, 2}, {HALT}}, .starts = 1},
      {{{HALT}}, .starts = 1}}},
    {"two start a third",
     2,
     {{{{SIPI, 2}, {HALT}}, .halts = 1}, {{{SIPI, 2}, {HALT}}}, {{{HALT}}, .starts = 1}}},
    {"off and on", 2, {{{{INIT, 1}, {SIPI, 1}, {HALT}}, .halts = 1}, {{{HALT}}, .starts = 1}}},
    {"on and off", 1, {{{{SIPI, 1}, {INIT, 1}, {HALT}}, .halts = 1}, {{{END}}}}},
    {"off in its monitor",
     2,
     {{{{INIT, 1}, {TAKE}, {GIVE}, {HALT}}, .halts = 1},
      {{{TAKE}, {GIVE}, {TAKE}, {GIVE}}, .inits = 1}}},
    {"interrupts",
     3,
     {{{{INTERRUPT, 1}, {INTERRUPT, 1}}},
      {{{TAKE}, {GIVE}}, .interrupts = 0x203},
      {{{TAKE}, {INTERRUPT, 1}, {GIVE}}}}},
    {"anew beside one that sends",
     2,
     {{{{TAKE}, {RESET}, {AGAIN}, {GIVE}, {SIPI, 1}, {HALT}}, .halts = 1},
      {{{SIPI, 2}, {INTERRUPT, 2}, {AGAIN}, {HALT}}, .starts = 1}}},
    {"anew by another one than the first",
     2,
     {{{{SIPI, 2}, {TAKE}, {GIVE}, {AGAIN}, {GIVE}}}, {{{TAKE}, {RESET}}}}},
    {"anew, and all start",
     2,
     {{{{AGAIN}, {SIPI, 1}, {SIPI, 2}}},
      {{{SIPI, 2}, {TAKE}, {RESET}, {AGAIN}}, .starts = 1},
      {{{AGAIN}}, .starts = 1}}},
};

static struct memory shared; /* its addresses stand for the state's memory */
static const struct scenario *scenario;

static size_t word_of(const uint64_t *at)
{
    return (size_t)(at - (const uint64_t *)&shared) * 2;
}

/* What a word has at first: memory is 0. */
static uint32_t first_of(const uint64_t *word)
{
    return word == &shared.agree.awake ? scenario->awake : 0;
}

uint64_t word_load(const uint64_t *word)
{
    return tso_load(word_of(word)) + first_of(word);
}

void word_store(uint64_t *word, uint64_t value)
{
    tso_store(word_of(word), (uint32_t)value - first_of(word));
}

uint64_t word_or(uint64_t *word, uint64_t bits)
{
    return tso_or(word_of(word), (uint32_t)bits);
}

uint64_t word_swap(uint64_t *word, uint64_t value)
{
    return tso_swap(word_of(word), (uint32_t)value - first_of(word)) + first_of(word);
}

uint64_t word_add(uint64_t *word, uint64_t value)
{
    return tso_add(word_of(word), (uint32_t)value) + first_of(word);
}

bool word_replace(uint64_t *word, uint64_t *old, uint64_t value)
{
    uint64_t before = tso_replace(word_of(word), (uint32_t)*old, (uint32_t)value);
    bool is = before == *old;

    *old = before;
    return is;
}

/* As hypervisor/vm/several.c has it. */

static void see_to(struct cpu *c, uint32_t me, uint64_t mail);

static void tell(struct cpu *c, uint32_t me, uint32_t to, uint64_t mail)
{
    if (to == me)
        see_to(c, me, mail);
    else if (post_put(&shared.posts[to], &shared.mail[to], mail))
        tso_send(to);
}

static void all_rest(struct cpu *c, uint32_t me)
{
    if (agree_resets(&shared.agree))
        return;
    word_swap(&shared.dead, 1);
    if (me == 0)
        c->halts++;
    else if (post_put(&shared.posts[0], &shared.dead_posted, 1))
        tso_send(0);
}

static void follow_rest(struct cpu *c, uint32_t me, bool received)
{
    bool rests = c->mode == OFF || (c->halted && !c->nmi);
    int64_t by = (int64_t)c->rests - rests - received;

    c->rests = rests;
    if (agree_change(&shared.agree, by))
        all_rest(c, me);
    if (c->nmi)
        c->halted = c->nmi = 0;
}

static void turn_off(struct cpu *c)
{
    c->halted = c->nmi = c->init = 0;
    c->mode = OFF;
}

static void begin_again(struct cpu *c)
{
    while (scenario->cpu[c->number].todo[c->done].what != AGAIN)
        c->done++;
    c->done++;
    c->again = 1;
}

static void start(struct cpu *c)
{
    uint64_t again = word_load(&shared.again);

    if ((c->sipi & 0xff) != again)
        tso_violate("stale");
    else if (again && !c->again)
        begin_again(c);
    c->mode = RUNS;
    c->nmi |= (c->sipi & SIGNAL_NMI) != 0;
    c->nmis += (c->sipi & SIGNAL_NMI) != 0;
    c->sipi = 0;
    c->starts++;
}

static void follow(struct cpu *c, uint32_t me, bool received)
{
    bool starts;

    if (c->init && c->mode == RUNS) {
        turn_off(c);
        c->inits++;
    }
    starts = c->mode == OFF && c->sipi != 0;
    if (starts)
        c->mode = RUNS;
    follow_rest(c, me, received);
    if (starts)
        start(c);
}

static void take_signals(struct cpu *c, uint32_t me, uint64_t signals)
{
    if (signals & SIGNAL_INIT) {
        c->init = c->mode != OFF;
        c->sipi = 0;
    }
    if (signals & SIGNAL_SIPI && c->sipi == 0 && (c->init || c->mode == OFF))
        c->sipi = signals & (SIGNAL_SIPI | 0xff);
    if (signals & SIGNAL_NMI && c->sipi != 0) {
        c->sipi |= SIGNAL_NMI;
    } else if (signals & SIGNAL_NMI && c->mode != OFF) {
        c->nmi = 1;
        c->nmis++;
    }
    follow(c, me, signals & SIGNAL_ENDS_REST);
}

static void send(struct cpu *c, uint32_t me, uint32_t to, uint64_t signal)
{
    if (agree_send(&shared.agree, &shared.signals[to], signal))
        all_rest(c, me);
    tell(c, me, to, MAIL_SIGNALS);
}

/* Of the vectors the low ones are used. */
static void take_interrupts(struct cpu *c, uint32_t me, uint64_t words)
{
    for (unsigned n = 0; n <= MAIL_LEVEL; n += MAIL_LEVEL) {
        uint32_t vectors = words >> n & 1 ? (uint32_t)mail_take(&shared.interrupts[me], n) : 0;
        if (c->interrupts & vectors)
            tso_violate("doubled");
        if (vectors != 0 && word_load(&shared.again) != c->again)
            tso_violate("stale");
        c->interrupts |= vectors;
    }
}

static void give_up(struct cpu *c, uint32_t me)
{
    c->mode = RUNS;
    word_store(&shared.busy, 0);
    uint32_t next = agree_give_up(&shared.agree, me);
    if (next != AGREE_NOBODY)
        tell(c, me, next, MAIL_CALLED);
    follow(c, me, false);
}

static void have_monitor(struct cpu *c)
{
    c->mode = HAS_MONITOR;
    if (word_load(&shared.busy) != 0)
        tso_violate("two");
    word_store(&shared.busy, 1);
}

static void begin(struct cpu *c, uint32_t me)
{
    for (uint32_t i = 0; i < CPUS; i++) {
        mail_take(&shared.interrupts[i], 0);
        mail_take(&shared.interrupts[i], MAIL_LEVEL);
        agree_receive(&shared.signals[i]);
    }
    word_swap(&shared.again, 1);
    agree_begin(&shared.agree);
    tell(c, me, 0, MAIL_BEGIN);
}

static void reset(struct cpu *c, uint32_t me)
{
    c->sipi = 0;
    turn_off(c);
    c->rests = me > 0;
    c->interrupts = 0;
    if (agree_heard(&shared.agree))
        begin(c, me);
}

static void see_to(struct cpu *c, uint32_t me, uint64_t mail)
{
    if (agree_resets(&shared.agree))
        mail &= MAIL_RESET;
    if (mail & MAIL_INTERRUPTS)
        take_interrupts(c, me, mail);
    if (mail & MAIL_SIGNALS)
        take_signals(c, me, agree_receive(&shared.signals[me]));
    if (mail & MAIL_RESET)
        reset(c, me);
    if (mail & MAIL_CALLED && c->mode != WAITS)
        tso_violate("stale");
    if (mail & MAIL_CALLED)
        have_monitor(c);
    if (mail & MAIL_BEGIN) {
        begin_again(c);
        have_monitor(c);
    }
}

static void kicked(struct cpu *c, uint32_t me)
{
    post_open(&shared.posts[me]);
    if (me == 0 && post_waits(&shared.dead_posted))
        c->halts += post_take(&shared.dead_posted) != 0;
    if (post_waits(&shared.mail[me]))
        see_to(c, me, post_take(&shared.mail[me]));
}

static void act(struct cpu *c, uint32_t me)
{
    uint32_t n = c->done++, what = scenario->cpu[me].todo[n].what,
             to = scenario->cpu[me].todo[n].to;

    if (word_load(&shared.dead) != 0)
        tso_violate("dead");
    if (word_load(&shared.again) != c->again)
        tso_violate("runs");
    switch (what) {
    case TAKE:
        if (agree_take(&shared.agree, me))
            have_monitor(c);
        else
            c->mode = WAITS;
        break;
    case GIVE:
        give_up(c, me);
        break;
    case NMI:
        send(c, me, to, SIGNAL_NMI);
        break;
    case INIT:
        send(c, me, to, SIGNAL_INIT);
        break;
    case SIPI:
        send(c, me, to, SIGNAL_SIPI | c->again);
        break;
    case HALT:
        c->halted = 1;
        follow_rest(c, me, false);
        break;
    case INTERRUPT:
        tell(c, me, to, 1u << mail_put(&shared.interrupts[to], (uint8_t)(4 * me + n), n % 2));
        break;
    case RESET:
        word_store(&shared.busy, 0);
        agree_reset(&shared.agree, CPUS);
        for (uint32_t i = 0; i < CPUS; i++)
            tell(c, me, i, MAIL_RESET);
        break;
    }
}

static bool can_act(const struct cpu *c, uint32_t me)
{
    uint32_t what = scenario->cpu[me].todo[c->done].what;

    return (c->mode == RUNS || c->mode == HAS_MONITOR) && !c->halted && what != END &&
           what != AGAIN;
}

/* Whether all has come that is to come. */
static bool is_content(const struct cpu *c, uint32_t me)
{
    const struct script *s = &scenario->cpu[me];

    return (s->todo[c->done].what == END || (c->mode == OFF && c->inits > 0)) &&
           c->starts >= s->starts && c->nmis >= s->nmis && c->inits >= s->inits &&
           c->halts >= s->halts && (c->interrupts & s->interrupts) == s->interrupts &&
           c->mode != WAITS;
}

static bool turn(void *own, unsigned me)
{
    struct cpu *c = own;

    if (can_act(c, me)) {
        if (tso_poll())
            kicked(c, me);
        else
            act(c, me);
        return true;
    }
    if (is_content(c, me))
        tso_idle();
    else
        tso_wait();
    kicked(c, me);
    /* who is woken behind all that it has to do rests again */
    if (c->mode == RUNS && !c->halted && c->nmis + c->starts > 0 &&
        scenario->cpu[me].todo[c->done].what == END) {
        c->halted = 1;
        follow_rest(c, me, false);
    }
    return true;
}

static void set_up(void *own, unsigned me)
{
    struct cpu *c = own;

    c->number = me;
    c->mode = me < scenario->awake ? RUNS : OFF;
    c->rests = c->mode == OFF;
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
        .cpus = CPUS,
        .words = sizeof(struct memory) / sizeof(uint32_t),
        .own = sizeof(struct cpu),
        .scenario = choose,
        .start = set_up,
        .turn = turn,
    };

    return tso_main(&model, argv[1]);
}
