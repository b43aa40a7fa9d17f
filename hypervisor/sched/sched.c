/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypervisor/sched/sched.h"

#include "abi/process.h"
#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/sched/post.h"
#include "lib/bits.h"

/*
 * Who has some of its budget left comes before all that have none, the one whose period ends first
 * at once (EDF). Among the others, who wants the CPU and has had the least of it runs next. One
 * that runs goes on until it has had TURN_MS more than another one that waits, or only as much as
 * one that has just been woken, but LEAST_TURN_MS at least: switching then takes a small part of
 * the time, however often somebody wakes. Who is woken pays for it with an eighth of a millisecond,
 * more than two switches take even in an emulator; nobody is interrupted for a sleeper's timer
 * before that sleeper could have the CPU. Two that compute take turns of 2 * TURN_MS, so
 * that neither is behind by more than that in any time (docs/bounds.md). The vCPUs of a VM have one
 * share: what one has had, all have; among them the one runs next that has not for longest.
 */
#define TURN_MS       3
#define LEAST_TURN_MS 1
#define WAKE_SHIFT    3

PER_CPU struct sched sched;
static PER_CPU struct posts posts;

void (*sched_no_event)(struct cpu_block *cpu);

void sched_init(void)
{
    THIS_CPU(sched) = (struct sched){.next_event = TIME_NEVER,
                                     .others_event = TIME_NEVER,
                                     .sleepers_event = TIME_NEVER,
                                     .slice_end = TIME_NEVER};
}

void sched_add(struct thread *t, struct cpu_block *cpu, const struct thread_kind *kind,
               uint32_t budget, uint32_t period)
{
    struct sched *s = &CPU_OF(cpu, sched);

    *t = (struct thread){.cpu = cpu,
                         .kind = kind,
                         .resume = kind->resume,
                         .payer = t,
                         .next = s->threads,
                         .budget = budget * tsc_khz() / 1000,
                         .period = period * tsc_khz() / 1000,
                         .period_end = budget > 0 ? 0 : TIME_NEVER,
                         .timer = TIME_NEVER,
                         .deadline = TIME_NEVER};
    s->threads = t;
    s->promises |= budget > 0;
}

/* Its next period, in step with the last one that is over. */
static void refill(struct thread *t, uint64_t now)
{
    if (t->period_end > now)
        return;
    t->left = t->budget;
    t->period_end = now + t->period - (now - t->period_end) % t->period;
}

/* Who has slept does not get what it has left of its budget and the next one in a row: what is left
 * must be no more of the time until the period's end than it is promised of any time (the rule of
 * constant bandwidth servers, CBS); otherwise a period begins now. The plan's periods are short
 * enough for the products. */
static void refill_woken(struct thread *t, uint64_t now)
{
    if (t->budget > 0 &&
        (t->period_end <= now || t->left * t->period > (t->period_end - now) * t->budget)) {
        t->left = t->budget;
        t->period_end = now + t->period;
    }
}

/* Until when it comes before those that have no budget left. */
static uint64_t urgency(const struct thread *t)
{
    return t->left > 0 ? t->period_end : TIME_NEVER;
}

static uint64_t used(const struct thread *t)
{
    return t->payer->used;
}

/* Whether a runs before b. Of those without budget the others come before the one that ran last: it
 * may have yielded. */
static bool is_before(const struct thread *a, const struct thread *b, const struct thread *last)
{
    if (urgency(a) != urgency(b))
        return urgency(a) < urgency(b);
    if (a == last || b == last)
        return b == last;
    return used(a) != used(b) ? used(a) < used(b) : a->turn_start < b->turn_start;
}

static uint64_t due(const struct thread *t)
{
    return min_u64(t->deadline, t->timer);
}

static void queue(struct sched *s, struct thread *t)
{
    t->queued = true;
    t->next_waiting = s->waiting;
    s->waiting = t;
}

static struct thread *unqueue(struct thread **link)
{
    struct thread *t = *link;

    t->queued = false;
    *link = t->next_waiting;
    return t;
}

static void sleeps(struct sched *s, const struct thread *t)
{
    s->sleepers_event = min_u64(s->sleepers_event, due(t));
}

void sched_withdraw(struct thread *t)
{
    struct sched *s = &CPU_OF(t->cpu, sched);
    struct thread **link = &s->waiting;

    if (!t->queued)
        return;
    while (*link != t)
        link = &(*link)->next_waiting;
    unqueue(link);
    sleeps(s, t);
}

/* Who runs next, or NULL; rival_used and rival_refill follow from the others that wait. */
static struct thread *pick(struct sched *s)
{
    struct thread **first = NULL;

    s->rival_used = s->rival_refill = UINT64_MAX;
    for (struct thread **link = &s->waiting; *link != NULL; link = &(*link)->next_waiting) {
        struct thread **other = link;

        refill(*link, s->accounted);
        if (first == NULL || is_before(*link, *first, s->last)) {
            other = first;
            first = link;
        }
        if (other != NULL) {
            s->rival_used = min_u64(s->rival_used, used(*other));
            s->rival_refill = min_u64(s->rival_refill, (*other)->period_end);
        }
    }
    return first != NULL ? unqueue(first) : NULL;
}

/* Until now the time is that of the one that runs: in its guest, in ring 3, and here for it. */
static void account(struct sched *s, uint64_t now)
{
    struct thread *t = s->running;

    t->payer->used += now - s->accounted;
    t->ran += now - s->accounted;
    t->left -= min_u64(t->left, now - s->accounted);
    s->accounted = now;
    s->least_used = max_u64(s->least_used, min_u64(used(t), s->rival_used));
}

uint64_t sched_ran(const struct thread *t)
{
    const struct sched *s = &CPU_OF(t->cpu, sched);
    uint64_t ran = t->ran, since = s->accounted, now = rdtsc();

    return s->running == t && now > since ? ran + (now - since) : ran;
}

/* The TSC at which the one that runs has had that much. */
static uint64_t turn_end(const struct sched *s, uint64_t most)
{
    uint64_t had = used(s->running);

    return max_u64(s->running->turn_start + LEAST_TURN_MS * tsc_khz(),
                   s->accounted + (most > had ? most - had : 0));
}

/* When the one that runs has had so much more than its rivals that it is their turn. */
static uint64_t fair_end(const struct sched *s)
{
    uint64_t turn = TURN_MS * tsc_khz();

    return turn_end(s, min_u64(s->rival_used, used(s->running) + turn) + turn);
}

static inline __attribute__((always_inline)) void expire(struct thread *t, uint64_t now)
{
    if (t->deadline <= now)
        t->kind->expire(t, now);
    if (t->timer <= now) {
        t->timer = TIME_NEVER;
        sched_post(t, EVENT_TIMER);
    }
}

/* Who waits for the CPU finds out what is due when its turn comes: nobody is interrupted for it.
 * Who has just left the CPU sleeps, whatever its timer says, until somebody else has run: it would
 * wait from now on, and save up what it gives away. */
static inline __attribute__((always_inline)) void expire_sleepers(struct sched *s, uint64_t now,
                                                                  const struct thread *left)
{
    s->sleepers_event = TIME_NEVER;
    for (struct thread *t = s->threads; t != NULL; t = t->next) {
        if (t->queued || t == s->running)
            continue;
        if (t != left && due(t) <= now) {
            s->expired = due(t);
            expire(t, now);
        }
        if (!t->queued)
            sleeps(s, t);
    }
    s->expired = 0;
}

static void __attribute__((noinline)) idle(struct sched *s)
{
    apic_timer_put_off(s->sleepers_event);
    sti_hlt_cli();
    s->accounted = rdtsc(); /* nobody's time */
}

/* What has to be looked at although the one that runs has nothing to do with it. With a promise a
 * sleeper may have the CPU at once. */
static inline __attribute__((always_inline)) void find_others_event(struct sched *s)
{
    uint64_t due = s->sleepers_event;

    s->others_event = s->slice_end;
    if (due > TIME_NEVER / 2) /* never, or a sum that would wrap */
        return;
    if (!s->promises)
        due = max_u64(due + (tsc_khz() >> WAKE_SHIFT),
                      s->running->turn_start + LEAST_TURN_MS * tsc_khz());
    s->others_event = min_u64(s->slice_end, due);
}

static void __attribute__((noreturn)) run(struct sched *s, struct thread *t)
{
    s->running = t;
    t->turn_start = s->accounted; /* switching to it is its own time */
    s->slice_end = TIME_NEVER;
    if (s->rival_used != UINT64_MAX)
        s->slice_end = min_u64(s->rival_refill, t->left > 0 ? s->accounted + t->left : fair_end(s));
    find_others_event(s);
    sched_set_event(t->cpu, min_u64(s->others_event, due(t)));
    t->work &= ~WORK_SCHEDULE;
    t->resume(t);
}

static inline __attribute__((always_inline)) void leave(struct sched *s, bool wants)
{
    struct thread *t = s->running;

    account(s, rdtsc());
    if (wants)
        queue(s, t);
    else
        sleeps(s, t);
    s->last = t;
    s->running = NULL;
}

void sched_leave(void)
{
    leave(&THIS_CPU(sched), false);
}

void schedule_on_empty_stack(void)
{
    struct sched *s = &THIS_CPU(sched);
    struct thread *t;

    if (s->running != NULL)
        leave(s, s->running->kind->can_run(s->running));
    else if (s->last == NULL)
        s->accounted = rdtsc(); /* what the boot took is nobody's time */
    for (const struct thread *left = s->last;; left = NULL, idle(s)) {
        if (s->sleepers_event <= s->accounted)
            expire_sleepers(s, s->accounted, left);
        if ((t = pick(s)) != NULL)
            run(s, t);
    }
}

/* Whom it lets run has more than its share, and could wait as long for it afterwards. */
void sched_give_way(struct thread *t)
{
    struct sched *s = &CPU_OF(t->cpu, sched);
    uint64_t turn = TURN_MS * tsc_khz();

    account(s, rdtsc());
    if (s->rival_used != UINT64_MAX && s->rival_used > turn)
        t->payer->used = max_u64(used(t), s->rival_used - turn);
    t->work |= WORK_SCHEDULE;
}

/* Whether t is a vCPU of the VM that runs: switching among these is the VM's own time. */
static bool is_own(const struct sched *s, const struct thread *t)
{
    return s->running->payer == t->payer;
}

/* When it is the turn of t, which has been woken, after the one that runs. */
static uint64_t notified_end(const struct sched *s, const struct thread *t)
{
    const struct thread *runs = s->running;
    uint64_t more = is_own(s, t) ? LEAST_TURN_MS * tsc_khz() : 0;

    if (urgency(t) != urgency(runs))
        return urgency(t) < urgency(runs) ? s->accounted : s->accounted + runs->left;
    return turn_end(s, used(t) + more);
}

/* Who has a budget and interrupts another one pays for the switches out of it, to who has a budget,
 * too: that one's promise is of time without them. */
static void pay_interrupted(struct sched *s, struct thread *t)
{
    uint64_t pays = min_u64(t->left, tsc_khz() >> WAKE_SHIFT);

    if (urgency(t) >= urgency(s->running))
        return;
    t->left -= pays;
    if (s->running->left > 0)
        s->running->left += pays;
}

void sched_wake(struct thread *t)
{
    struct sched *s = &CPU_OF(t->cpu, sched);

    if (!t->kind->can_run(t))
        return;
    uint64_t pays = tsc_khz() >> WAKE_SHIFT;
    if (s->running != NULL) {
        account(s, s->expired != 0 ? max_u64(s->expired, s->accounted) : rdtsc());
        pays = is_own(s, t) ? 0 : pays;
    }
    queue(s, t);
    /* sleeping saves no time up */
    t->payer->used = max_u64(used(t), s->least_used) + pays;
    refill_woken(t, s->accounted);
    if (s->running != NULL) {
        pay_interrupted(s, t);
        s->rival_used = min_u64(s->rival_used, used(t));
        s->slice_end = min_u64(s->slice_end, notified_end(s, t));
        s->others_event = min_u64(s->others_event, s->slice_end);
        s->next_event = min_u64(s->next_event, s->slice_end);
    }
}

void sched_put(struct thread *t, uint64_t *word, uint64_t bits)
{
    if (post_put(&CPU_OF(t->cpu, posts), word, bits))
        cpu_kick(t->cpu);
}

void sched_post(struct thread *t, uint64_t events)
{
    if (t->cpu != this_cpu()) {
        sched_put(t, &t->posted, events);
        return;
    }
    t->events |= events;
    t->work |= WORK_EVENTS;
    sched_notify(t);
}

void sched_kicked(void)
{
    post_open(&THIS_CPU(posts));
    for (struct thread *t = THIS_CPU(sched).threads; t != NULL; t = t->next) {
        if (post_waits(&t->posted))
            sched_post(t, 0);
        if (post_waits(&t->mail))
            t->kind->mailed(t);
    }
}

uint64_t sched_take_events(struct thread *t)
{
    uint64_t events = t->events | post_take(&t->posted);

    t->events = 0;
    t->work &= ~WORK_EVENTS;
    return events;
}

void sched_set_ring3_timer(struct thread *t, uint64_t tsc)
{
    struct sched *s = &CPU_OF(t->cpu, sched);

    t->timer = tsc;
    if (!t->queued && t != s->running) {
        sleeps(s, t);
        find_others_event(s);
    }
    sched_own_event_changed(s->running);
}

void sched_forget_event(struct cpu_block *cpu)
{
    struct sched *s = &CPU_OF(cpu, sched);
    bool armed = s->next_event != TIME_NEVER;

    s->next_event = TIME_NEVER;
    if (armed)
        sched_no_event(cpu);
}

/* False: it is another one's turn, who then finds the next event. */
static bool __attribute__((noinline)) expire_others(struct sched *s, uint64_t now)
{
    if (s->sleepers_event <= now)
        expire_sleepers(s, now, NULL);
    if (s->slice_end <= now) {
        s->running->work |= WORK_SCHEDULE;
        return false;
    }
    find_others_event(s);
    return true;
}

/* The common case is the timer of the one that runs: it costs no look at the others. */
void sched_expire(uint64_t now)
{
    struct sched *s = &THIS_CPU(sched);

    expire(s->running, now);
    if (s->others_event > now || expire_others(s, now))
        sched_own_event_changed(s->running);
}
