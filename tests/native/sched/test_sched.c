/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler on a simulated CPU: threads that compute, sleep, yield and are woken, with and
 * without a budget. What each is promised is held in every one of its periods; what is left is
 * shared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hypervisor/cpu/apic.h"
#include "hypervisor/cpu/cpus.h"
#include "hypervisor/cpu/instructions.h"
#include "hypervisor/cpu/tsc.h"
#include "hypervisor/sched/sched.h"
#include "lib/bits.h"

#define KHZ         10000ULL
#define US          (KHZ / 1000)
#define MS          KHZ
#define MAX_THREADS 8
#define SWITCH      (5 * US) /* what a switch costs */
#define PERIODS     1000

enum manner {
    COMPUTES, /* always */
    YIELDS,   /* the same, but gives the CPU away all the time */
    WAKES,    /* is woken every `every`, wants the CPU for `work`, and sleeps */
    TIMED,    /* the same by a timer of its own */
};

struct actor {
    struct thread thread;
    enum manner manner;
    uint64_t every, work; /* ticks */
    uint64_t next_work;   /* that takes turns with it; 0: none does */
    uint64_t sets_timer;  /* its timer, so far ahead, before it sleeps; 0: it does not */
    uint64_t next_wake;
    uint64_t wanted;  /* of its work, not yet done */
    uint64_t woken;   /* when its work came */
    uint64_t slowest; /* from then until it was done, at most */
    uint64_t had;     /* of the CPU */
    uint64_t had_at;  /* the same when its last period ended */
    uint64_t period_end;
    uint64_t least; /* that it had in a period */
};

static struct actor actors[MAX_THREADS];
static unsigned actor_count;
static uint64_t now, armed, switch_takes;
static bool switches_are_lost; /* to who is switched to; otherwise they are its time */
static unsigned interrupted;   /* so often the one that runs was, for what was due */
static struct thread *resumed;
static jmp_buf back;

uint64_t rdtsc(void)
{
    return now;
}

uint64_t tsc_khz(void)
{
    return KHZ;
}

void apic_timer_arm(struct cpu_block *cpu, uint64_t tsc)
{
    armed = min_u64(armed, tsc);
}

void apic_timer_put_off(uint64_t tsc)
{
    armed = tsc;
}

/* There is only one. */
void cpu_kick(const struct cpu_block *block)
{
    fail();
}

static struct actor *actor_of(const struct thread *t)
{
    return THREAD_IN(struct actor, thread, t);
}

static bool can_run(const struct thread *t)
{
    return actor_of(t)->wanted > 0;
}

static void __attribute__((noreturn)) resume(struct thread *t)
{
    resumed = t;
    longjmp(back, 1);
}

void schedule(void)
{
    schedule_on_empty_stack();
}

static void expire(struct thread *t, uint64_t tsc)
{
    struct actor *a = actor_of(t);

    assert_true(t->deadline <= tsc);
    if (a->wanted == 0)
        a->woken = t->deadline;
    a->wanted += a->work;
    t->deadline += a->every;
    sched_notify(t);
}

static const struct thread_kind kind = {.can_run = can_run, .resume = resume, .expire = expire};

static uint64_t next_wake(void)
{
    uint64_t next = TIME_NEVER;

    for (unsigned i = 0; i < actor_count; i++)
        next = min_u64(next, actors[i].next_wake);
    return next;
}

static void wake(void)
{
    for (struct actor *a = actors; a < actors + actor_count; a++) {
        if (a->next_wake > now)
            continue;
        a->next_wake += a->every;
        if (a->wanted == 0)
            a->woken = now;
        a->wanted += a->work;
        if (a->next_work != 0) {
            uint64_t work = a->work;
            a->work = a->next_work;
            a->next_work = work;
        }
        sched_notify(&a->thread);
    }
}

/* The CPU sleeps until an interrupt. */
void sti_hlt_cli(void)
{
    uint64_t until = min_u64(armed, next_wake());

    assert_true(until != TIME_NEVER);
    now = max_u64(now, until);
    armed = TIME_NEVER;
    wake();
}

static struct actor *add(enum manner manner, uint32_t budget, uint32_t period)
{
    struct actor *a = &actors[actor_count++];

    *a = (struct actor){.manner = manner,
                        .wanted = manner == WAKES ? 0 : TIME_NEVER,
                        .next_wake = TIME_NEVER,
                        .least = TIME_NEVER};
    sched_add(&a->thread, this_cpu(), &kind, budget, period);
    if (manner == TIMED)
        a->wanted = 1;
    if (manner != WAKES)
        sched_wake(&a->thread);
    return a;
}

static struct actor *add_woken(uint32_t budget, uint32_t period, uint64_t every, uint64_t work)
{
    struct actor *a = add(WAKES, budget, period);

    a->every = a->next_wake = every;
    a->work = work;
    return a;
}

/* Begins with its work. */
static struct actor *add_timed(uint32_t budget, uint32_t period, uint64_t every, uint64_t work)
{
    struct actor *a = add(TIMED, budget, period);

    a->wanted = a->work = work;
    a->woken = now;
    a->every = every;
    a->thread.deadline = now + every;
    return a;
}

/* A period of the actor's own is over: what it had in it. */
static void end_periods(void)
{
    for (struct actor *a = actors; a < actors + actor_count; a++) {
        if (a->thread.budget == 0 || a->period_end > now)
            continue;
        if (a->period_end != 0)
            a->least = min_u64(a->least, a->had - a->had_at);
        a->had_at = a->had;
        a->period_end = (now / a->thread.period + 1) * a->thread.period;
    }
}

/* The one that runs does so until somebody has something to do. */
static void go_on(struct actor *a)
{
    uint64_t until = min_u64(sched.next_event, next_wake());

    for (const struct actor *b = actors; b < actors + actor_count; b++)
        if (b->thread.budget > 0)
            until = min_u64(until, b->period_end);
    until = min_u64(until, a->wanted < TIME_NEVER - now ? now + a->wanted : TIME_NEVER);
    if (a->manner == YIELDS)
        until = min_u64(until, now + 20 * US);
    until = max_u64(until, now + 1);
    if (a->wanted != TIME_NEVER)
        a->wanted -= min_u64(a->wanted, until - now);
    a->had += until - now;
    now = until;
    end_periods();
    wake();
    if (sched.next_event <= now) {
        interrupted++;
        sched_expire(now);
    }
    if (a->wanted == 0)
        a->slowest = max_u64(a->slowest, now - a->woken);
    if (a->wanted == 0 && a->sets_timer != 0)
        a->thread.deadline = now + a->sets_timer;
    if (a->wanted == 0)
        a->thread.work |= WORK_SCHEDULE;
    else if (a->manner == YIELDS)
        sched_give_way(&a->thread);
}

static void simulate(uint64_t until)
{
    end_periods();
    setjmp(back);
    if (resumed == NULL)
        schedule_on_empty_stack();
    struct actor *a = actor_of(resumed);

    now += switch_takes;
    if (!switches_are_lost)
        a->had += switch_takes;
    while (now < until) {
        go_on(a);
        if (a->thread.work & WORK_SCHEDULE)
            schedule_on_empty_stack();
    }
}

/* The timer of these tests is the local APIC's. */
static void no_event(struct cpu_block *cpu)
{
}

static int fresh(void **state)
{
    actor_count = 0;
    now = MS;
    armed = TIME_NEVER;
    resumed = NULL;
    interrupted = 0;
    switches_are_lost = false;
    switch_takes = SWITCH;
    sched_init();
    sched_no_event = no_event;
    sched.threads = NULL;
    return 0;
}

static void equal_shares(void **state)
{
    struct actor *a = add(COMPUTES, 0, 0), *b = add(COMPUTES, 0, 0), *c = add(COMPUTES, 0, 0);

    simulate(now + 3000 * MS);
    assert_in_range(a->had, 990 * MS, 1010 * MS);
    assert_in_range(b->had, 990 * MS, 1010 * MS);
    assert_in_range(c->had, 990 * MS, 1010 * MS);
}

/* One more vCPU of the VM whose first one this is; it computes. */
static struct actor *add_vcpu(const struct actor *first)
{
    struct actor *a = add(COMPUTES, 0, 0);

    a->thread.payer = first->thread.payer;
    return a;
}

/* The four vCPUs of a VM, beside another VM: together they have what that has, and each a quarter
 * of it. */
static void one_share_for_all_vcpus(void **state)
{
    struct actor *other = add(COMPUTES, 0, 0), *vcpus[4];

    vcpus[0] = add(COMPUTES, 0, 0);
    for (unsigned i = 1; i < 4; i++)
        vcpus[i] = add_vcpu(vcpus[0]);
    simulate(now + 4000 * MS);
    assert_in_range(other->had, 1980 * MS, 2020 * MS);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(vcpus[i]->had, 485 * MS, 515 * MS);
}

/* One of four that works alone has the share of all, in any 100 ms. */
static void a_vcpu_that_works_alone(void **state)
{
    struct actor *other = add(COMPUTES, 0, 0), *first = add_woken(0, 0, TIME_NEVER, 0);
    struct actor *vcpu = add_vcpu(first);

    for (unsigned i = 2; i < 4; i++)
        add_woken(0, 0, TIME_NEVER, 0)->thread.payer = first->thread.payer;
    for (unsigned window = 0; window < 50; window++) {
        uint64_t before = other->had, vcpu_before = vcpu->had;
        simulate(now + 100 * MS);
        assert_in_range(other->had - before, 45 * MS, 55 * MS);
        assert_in_range(vcpu->had - vcpu_before, 45 * MS, 55 * MS);
    }
}

/* One that has slept for long has from then on what its VM's others have: neither they nor another
 * VM wait for it to have had as much as they before. */
static void a_vcpu_that_starts_late(void **state)
{
    struct actor *other = add(COMPUTES, 0, 0), *first = add(COMPUTES, 0, 0);
    struct actor *second = add_vcpu(first), *late = add_woken(0, 0, 900 * MS, TIME_NEVER / 2);

    late->thread.payer = first->thread.payer;
    simulate(899 * MS);
    uint64_t other_had = other->had, first_had = first->had, second_had = second->had;
    simulate(now + 600 * MS);
    assert_in_range(other->had - other_had, 290 * MS, 310 * MS);
    assert_in_range(first->had - first_had, 90 * MS, 110 * MS);
    assert_in_range(second->had - second_had, 90 * MS, 110 * MS);
    assert_in_range(late->had, 90 * MS, 110 * MS);
}

/* What a victim has at least of each 100 ms beside a VM whose vCPUs are woken in turn, one each
 * `every`, for `work`, in an emulator, where a switch takes long and is lost to who is switched to.
 */
static uint64_t beside_waking(unsigned vcpus, uint64_t every, uint64_t work)
{
    uint64_t least = TIME_NEVER;

    fresh(NULL);
    switch_takes = 50 * US;
    switches_are_lost = true;
    struct actor *victim = add(COMPUTES, 0, 0), *first = &actors[actor_count];
    for (unsigned i = 0; i < vcpus; i++) {
        struct actor *a = add_woken(0, 0, vcpus * every, work);
        a->next_wake = (i + 1) * every;
        a->thread.payer = &first->thread;
    }
    for (unsigned window = 0; window < 10; window++) {
        uint64_t before = victim->had;
        simulate(now + 100 * MS);
        least = min_u64(least, victim->had - before);
    }
    return least;
}

/* A VM with seven vCPUs that wake in turn takes no more of another's share than one that wakes as
 * often as all of them. */
static void vcpus_that_wake_in_turn(void **state)
{
    for (uint64_t every = 50 * US; every < 3 * MS; every += 131 * US)
        for (uint64_t work = 10 * US; work < 4 * MS; work *= 3) {
            assert_true(beside_waking(1, every, work) >= 47 * MS);
            assert_true(beside_waking(7, every, work) >= 47 * MS);
        }
}

/* One that sleeps until its timer is due takes the CPU from one that computes with one interrupt,
 * an eighth of a millisecond behind that; and at once from nobody. */
static void a_timer_interrupts_once(void **state)
{
    struct actor *computes = add(COMPUTES, 0, 0), *timed = add_timed(0, 0, 5 * MS, 100 * US);

    simulate(now + 1000 * MS);
    assert_in_range(interrupted, 199, 201);
    assert_in_range(timed->had, 200 * (100 * US + SWITCH) - MS, 200 * (100 * US + SWITCH) + MS);
    assert_true(timed->slowest <= 230 * US + 2 * SWITCH);
    assert_true(computes->had > 950 * MS);
    fresh(state);
    timed = add_timed(0, 0, 5 * MS, 100 * US);
    simulate(now + 1000 * MS);
    assert_int_equal(interrupted, 0);
    assert_true(timed->slowest <= 100 * US + SWITCH);
}

/* With a promise it has the CPU at once. */
static void a_timer_with_a_promise(void **state)
{
    struct actor *timed = add_timed(1000, 5000, 5 * MS, 100 * US);

    add(COMPUTES, 0, 0);
    simulate(now + 1000 * MS);
    assert_true(timed->slowest <= 100 * US + 2 * SWITCH);
}

/* Who is woken by something else, and sets its timer anew, interrupts the other one for the old
 * time once at most. */
static void a_timer_that_is_set_anew(void **state)
{
    struct actor *woken = add_woken(0, 0, 4 * MS, 100 * US);

    add(COMPUTES, 0, 0);
    woken->sets_timer = 6 * MS;
    simulate(now + 1000 * MS);
    assert_in_range(interrupted, 245, 505);
}

/* A time that never comes interrupts nobody. */
static void a_timer_far_ahead(void **state)
{
    struct actor *woken = add_woken(0, 0, 10 * MS, 100 * US);

    add(COMPUTES, 0, 0);
    woken->thread.timer = TIME_NEVER - 1;
    simulate(now + 1000 * MS);
    assert_in_range(interrupted, 95, 105);
}

/* Who sleeps for a time that has come already gives the CPU away, and saves nothing up. */
static void no_time_is_slept_for(void **state)
{
    struct actor *victim = add(COMPUTES, 0, 0);
    struct actor *naps = add_timed(0, 0, TIME_NEVER / 2, 20 * US);

    naps->sets_timer = (uint64_t)-1;
    simulate(now + 1000 * MS);
    assert_true(victim->had > 900 * MS);
    assert_true(naps->had > 10 * MS);
    naps->wanted = TIME_NEVER;
    naps->work = naps->sets_timer = 0;
    for (unsigned window = 0; window < 10; window++) {
        uint64_t before = victim->had;

        simulate(now + 100 * MS);
        assert_true(victim->had - before >= 45 * MS);
    }
}

/* Who gives the CPU away gives it to one whose timer is due, although it would not yet be
 * interrupted for that. */
static void what_is_due_when_the_cpu_is_given_away(void **state)
{
    struct actor *timed = add_timed(0, 0, 5 * MS, 10 * US);

    add(YIELDS, 0, 0);
    simulate(now + 1000 * MS);
    assert_true(timed->slowest <= 50 * US);
    assert_true(timed->had >= 199 * 10 * US);
}

/* What a victim has at least of each 100 ms beside VMs that sleep until their timers are due. */
static void timers_beside_a_victim(void **state)
{
    for (uint64_t every = 50 * US; every < 3 * MS; every += 131 * US)
        for (uint64_t work = 10 * US; work < 4 * MS; work *= 3)
            for (unsigned vms = 1; vms <= 2; vms++) {
                fresh(state);
                switch_takes = 50 * US;
                switches_are_lost = true;
                struct actor *victim = add(COMPUTES, 0, 0);
                for (unsigned i = 0; i < vms; i++)
                    add_timed(0, 0, every + i * 7 * US, work);
                for (unsigned window = 0; window < 10; window++) {
                    uint64_t before = victim->had;
                    simulate(now + 100 * MS);
                    assert_true(victim->had - before >= (vms == 1 ? 47 : 29) * MS);
                }
            }
}

/* To the tick, whatever a thread is lifted to when it wakes up or gives way. */
static void what_each_had_is_counted(void **state)
{
    add(COMPUTES, 0, 0);
    add(YIELDS, 0, 0);
    add_woken(0, 0, 7 * MS, MS);
    add_woken(3000, 10000, 5 * MS, MS);
    for (unsigned window = 0; window < 100; window++) {
        simulate(now + 10 * MS);
        for (const struct actor *a = actors; a < actors + actor_count; a++)
            assert_int_equal(sched_ran(&a->thread), a->had);
    }
}

/* Time passes between the making of threads and their start: the first one does not pay for it. */
static void nobody_pays_for_the_boot(void **state)
{
    struct actor *a = add(COMPUTES, 0, 0), *b = add(COMPUTES, 0, 0);

    now += 500 * MS;
    simulate(now + 100 * MS);
    assert_in_range(a->had, 45 * MS, 55 * MS);
    assert_in_range(b->had, 45 * MS, 55 * MS);
}

/* Who has given the CPU away for long does not have it back all at once. */
static void yielding_saves_nothing_up(void **state)
{
    struct actor *a = add(COMPUTES, 0, 0), *b = add(YIELDS, 0, 0);

    simulate(now + 3000 * MS);
    assert_true(a->had > 2500 * MS);
    for (unsigned window = 0; window < 10; window++) {
        uint64_t before = a->had;

        b->manner = COMPUTES;
        simulate(now + 100 * MS);
        assert_true(a->had - before >= 45 * MS);
    }
}

/* 3 ms of each 10, beside three that compute. */
static void budget_in_every_period(void **state)
{
    struct actor *a = add(COMPUTES, 3000, 10000);
    struct actor *others[] = {add(COMPUTES, 0, 0), add(COMPUTES, 0, 0), add(COMPUTES, 0, 0)};

    simulate(now + PERIODS * 10 * MS);
    assert_true(a->least >= 3 * MS - SWITCH);
    /* The rest is shared by all four, and who has more by its budget has none of the rest. */
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_in_range(others[i]->had, PERIODS * 23 * MS / 10, PERIODS * 24 * MS / 10);
}

/* Who is woken with a budget has the CPU at once. */
static void budget_wakes_at_once(void **state)
{
    struct actor *a = add_woken(2000, 10000, 10 * MS + 7, 1 * MS);

    add(COMPUTES, 0, 0);
    add(YIELDS, 0, 0);
    simulate(now + PERIODS * 10 * MS);
    assert_true(a->slowest <= 1 * MS + 2 * SWITCH);
}

/* The same without one waits for its turn. */
static void without_budget_waits(void **state)
{
    struct actor *a = add_woken(0, 0, 10 * MS + 7, 1 * MS);

    add(COMPUTES, 0, 0);
    add(COMPUTES, 0, 0);
    simulate(now + PERIODS * 10 * MS);
    assert_true(a->slowest > 1 * MS + 2 * SWITCH);
    assert_true(a->slowest <= 8 * MS);
}

/* Who is woken as often as can be, for as much as can be, gets no more than its budget before the
 * others: not two in a row either. */
static void no_more_than_the_budget(void **state)
{
    for (uint64_t every = 500 * US; every < 20 * MS; every += 733 * US) {
        fresh(state);
        struct actor *greedy = add_woken(2000, 10000, every, every),
                     *a = add(COMPUTES, 5000, 10000);
        struct actor *rest = add(COMPUTES, 0, 0);
        simulate(now + 200 * 10 * MS);
        assert_true(a->least >= 5 * MS - 2 * SWITCH);
        assert_true(rest->had > 0);
        assert_true(greedy->had > 0);
    }
}

/* Who wakes often has a budget, too, and pays for the switches: the other one's promise is of time
 * without them, and of an emulator's, where one takes long. */
static void interrupted_often(void **state)
{
    for (uint64_t every = 300 * US; every < 5 * MS; every += 217 * US) {
        fresh(state);
        switch_takes = 50 * US;
        switches_are_lost = true;
        struct actor *greedy = add_woken(1000, 10000, every, 10 * US),
                     *a = add(COMPUTES, 8000, 10000);
        simulate(now + 200 * 10 * MS);
        assert_true(a->least + 2 * switch_takes >= 8 * MS);
        assert_true(greedy->had > 0);
    }
}

/* What was saved until the end of a period must not come in a row with the next period's, before
 * one whose period ends between them. */
static void no_two_budgets_in_a_row(void **state)
{
    struct actor *greedy = add_woken(5000, 10000, 5 * MS, 10 * US);
    struct actor *a = add(COMPUTES, 2200, 5500);

    greedy->next_work = 5 * MS;
    simulate(now + PERIODS * 10 * MS);
    assert_true(a->least + 4 * SWITCH >= a->thread.budget);
}

/* Any promises that the plan's check lets through are kept, in every period. */
static void random_promises(void **state)
{
    uint64_t random = 1;

    for (unsigned round = 0; round < 60; round++) {
        uint64_t left = 880;
        fresh(state);
        for (unsigned i = 0; i < 5; i++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            uint32_t period = 2000 + (uint32_t)(random >> 40) % 30000;
            uint32_t part = 20 + (uint32_t)(random >> 20) % 300;
            if (part > left)
                continue;
            left -= part;
            add(random >> 60 & 1 ? COMPUTES : YIELDS, (uint32_t)(period * (uint64_t)part / 1000),
                period);
        }
        add(COMPUTES, 0, 0);
        struct actor *woken = add_woken(0, 0, 3 * MS, 50 * US);
        simulate(now + 1000 * MS);
        for (struct actor *a = actors; a < actors + actor_count; a++)
            if (a->thread.budget > 0)
                assert_true(a->least + 40 * SWITCH >= a->thread.budget);
        assert_true(woken->had > 0);
    }
}

/* One that was alone for long has no more of a later period than it is promised, and no less. */
static void alone_before(void **state)
{
    struct actor *a = add(COMPUTES, 3000, 10000);
    struct actor *late = add_woken(0, 0, 500 * MS, TIME_NEVER / 2);

    simulate(now + 495 * MS);
    assert_true(late->had == 0);
    simulate(now + 1000 * MS);
    assert_true(a->least >= 3 * MS - 2 * SWITCH);
    assert_in_range(late->had, 400 * MS, 700 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_shares, fresh),
        cmocka_unit_test_setup(one_share_for_all_vcpus, fresh),
        cmocka_unit_test_setup(a_vcpu_that_works_alone, fresh),
        cmocka_unit_test_setup(a_vcpu_that_starts_late, fresh),
        cmocka_unit_test_setup(vcpus_that_wake_in_turn, fresh),
        cmocka_unit_test_setup(a_timer_interrupts_once, fresh),
        cmocka_unit_test_setup(a_timer_with_a_promise, fresh),
        cmocka_unit_test_setup(a_timer_that_is_set_anew, fresh),
        cmocka_unit_test_setup(a_timer_far_ahead, fresh),
        cmocka_unit_test_setup(no_time_is_slept_for, fresh),
        cmocka_unit_test_setup(what_is_due_when_the_cpu_is_given_away, fresh),
        cmocka_unit_test_setup(timers_beside_a_victim, fresh),
        cmocka_unit_test_setup(what_each_had_is_counted, fresh),
        cmocka_unit_test_setup(nobody_pays_for_the_boot, fresh),
        cmocka_unit_test_setup(yielding_saves_nothing_up, fresh),
        cmocka_unit_test_setup(budget_in_every_period, fresh),
        cmocka_unit_test_setup(budget_wakes_at_once, fresh),
        cmocka_unit_test_setup(without_budget_waits, fresh),
        cmocka_unit_test_setup(no_more_than_the_budget, fresh),
        cmocka_unit_test_setup(interrupted_often, fresh),
        cmocka_unit_test_setup(no_two_budgets_in_a_row, fresh),
        cmocka_unit_test_setup(random_promises, fresh),
        cmocka_unit_test_setup(alone_before, fresh),
    };

    return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
