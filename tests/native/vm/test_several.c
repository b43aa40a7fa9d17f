/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has the monitor and who is off (R21, R36): whatever vCPUs do, one has it at most, each that
 * waits gets it in its turn, and what is to be heard of a vCPU is heard before it is off; on one
 * CPU, and on several, where all that one does to another comes some time later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hypervisor/vm/enter.h"
#include "hypervisor/vm/several.h"

#define CPUS   4
#define STEPS  200000
#define VECTOR 0x61

struct sched sched; /* of all CPUs */

static struct plan_vm plan = {.vcpus = CPUS};
static struct vm vm = {.plan = &plan};
static struct vcpu vcpu[CPUS];
static uint32_t page[CPUS][0x400];
static jmp_buf scheduler;
static unsigned given[CPUS]; /* how often others have given the monitor up since it waits */
static unsigned starts, resets, halts;

void sched_wake(struct thread *t)
{
}

void sched_withdraw(struct thread *t)
{
}

void sched_post(struct thread *t, uint64_t events)
{
    halts += events == EVENT_HALT;
    t->events |= events;
    t->work |= WORK_EVENTS;
}

uint64_t sched_take_events(struct thread *t)
{
    uint64_t events = t->events;

    t->events = 0;
    t->work &= ~WORK_EVENTS;
    return events;
}

void sched_put(struct thread *t, uint64_t *word, uint64_t bits)
{
    *word |= bits;
}

void sched_set_ring3_timer(struct thread *t, uint64_t tsc)
{
    t->timer = tsc;
}

void schedule(void)
{
    longjmp(scheduler, 1);
}

/* So many of the vCPUs, the last ones, are at home where this_cpu() never is. */
static void set_up(unsigned elsewhere)
{
    srand(1);
    starts = resets = halts = 0;
    for (unsigned i = 0; i < CPUS; i++) {
        vcpu[i] = (struct vcpu){.vm = &vm, .mode = VCPU_OFF, .lapic_page = page[i], .rests = i > 0};
        vcpu[i].thread.cpu = i >= CPUS - elsewhere ? (struct cpu_block *)16 : NULL;
        vlapic_reset(&vcpu[i].lapic, page[i], i, i == 0);
        page[i][APIC_SVR / 4] |= SVR_ENABLE;
        vm.vcpus[i] = &vcpu[i];
    }
    vcpu[0].mode = VCPU_IN_MONITOR;
    vm.process.thread = &vcpu[0].thread;
    agree_begin(&vm.agree);
}

static int setup(void **state)
{
    set_up(0);
    return 0;
}

static bool chance(int of)
{
    return rand() % of == 0;
}

static void send(void)
{
    struct vcpu *to = &vcpu[rand() % CPUS];

    if (chance(2))
        vcpu_send(to, SIGNAL_INIT);
    else if (chance(4))
        vcpu_send(to, SIGNAL_NMI);
    else
        vcpu_send(to, SIGNAL_SIPI | (uint8_t)rand());
}

/* In its monitor, which hears of all that it has. */
static void hear(struct vcpu *v)
{
    v->mode = VCPU_IN_MONITOR;
    v->kicks = 0;
    sched_take_events(&v->thread);
}

static void exit_to_its_monitor(struct vcpu *v)
{
    given[v->lapic.id] = 0;
    if (monitor_take(v))
        hear(v);
}

static void answer(struct vcpu *v)
{
    for (unsigned i = 0; i < CPUS; i++)
        given[i] += vcpu[i].mode == VCPU_WAITS;
    v->mode = VCPU_IN_GUEST;
    monitor_give_up(v);
}

/* As exit_hlt and vcpu_enter have it. */
static void halt(struct vcpu *v)
{
    v->halted_if = chance(4);
    v->halted = true;
    if (!v->halted_if)
        vcpu_follow_rest(v, false);
}

static void run_guest(struct vcpu *v)
{
    if (v->halted && !v->nmi_pending && !(v->halted_if && chance(2)))
        return;
    v->halted = v->nmi_pending = false;
    if (chance(2))
        v->kicks = 1;
    else if (chance(2))
        halt(v);
    else
        send();
}

/* One that can run does something. */
static void step(struct vcpu *v)
{
    switch (v->mode) {
    case VCPU_CALLED:
        hear(v);
        break;
    case VCPU_STARTS:
        v->mode = VCPU_IN_GUEST;
        v->nmi_pending = v->sipi & SIGNAL_NMI;
        v->sipi = 0;
        starts++;
        break;
    case VCPU_IN_MONITOR:
        if (chance(200)) {
            resets++;
            monitor_reset(v);
        } else if (chance(2)) {
            send();
        } else {
            answer(v);
        }
        break;
    case VCPU_IN_GUEST:
        if (v->thread.work & WORK_EVENTS || chance(2))
            exit_to_its_monitor(v);
        else
            run_guest(v);
        break;
    default:
        break;
    }
}

#define CALLED 0x600 /* of thread.mail: it will have the monitor */

static bool has_monitor(const struct vcpu *v)
{
    return v->mode == VCPU_IN_MONITOR || v->mode == VCPU_CALLED || v->thread.mail & CALLED;
}

static bool rests(const struct vcpu *v)
{
    return (v->mode == VCPU_OFF && !has_monitor(v)) ||
           (v->halted && !v->halted_if && !v->nmi_pending);
}

static void check(void)
{
    unsigned owners = 0, awake = 0;
    bool goes_on = !agree_resets(&vm.agree);

    for (unsigned i = 0; i < CPUS; i++) {
        const struct vcpu *v = &vcpu[i];
        bool has = has_monitor(v);
        owners += has;
        awake += !rests(v) + ((v->signals & SIGNAL_ENDS_REST) != 0);
        if (has)
            assert_ptr_equal(vm.process.thread, &v->thread);
        if (v->mode == VCPU_WAITS)
            assert_true(vm.agree.monitor & 1u << i && given[i] < CPUS);
        if (v->mode == VCPU_OFF && i != 0)
            assert_true(v->kicks == 0 && v->sipi == 0 && !v->init);
        if (v->init)
            assert_true(has || v->mode == VCPU_WAITS || v->thread.work & WORK_EVENTS);
        if (v->sipi != 0)
            assert_true(v->init || v->mode == VCPU_STARTS);
        if (goes_on)
            assert_true(v->rests == rests(v) && (i > 0 || v->mode != VCPU_OFF || has));
    }
    if (!goes_on)
        return;
    assert_int_equal(owners, vm.agree.monitor != 0);
    assert_int_equal(awake, vm.agree.awake);
}

static void any_order(void **state)
{
    for (volatile unsigned elsewhere = 0; elsewhere <= CPUS; elsewhere++) {
        set_up(elsewhere);
        for (volatile unsigned n = 0; n < STEPS; n++) {
            struct vcpu *v = &vcpu[rand() % CPUS];
            if (v->thread.mail != 0 && chance(2))
                vcpu_take_mail(v);
            else if (setjmp(scheduler) == 0)
                step(v);
            else if (v->thread.mail != 0 && v->mode == VCPU_IN_MONITOR)
                vcpu_take_mail(v); /* it starts the machine anew, and is told at once */
            /* the monitor lives, and so does the world outside */
            if (vm.agree.awake == 0 && !agree_resets(&vm.agree))
                vcpu_send(&vcpu[rand() % CPUS], SIGNAL_NMI);
            check();
        }
        assert_true(starts > STEPS / 200 && resets > 10 && halts > 10);
    }
}

static void read_mail(struct vcpu *v)
{
    while (v->thread.mail != 0)
        vcpu_take_mail(v);
}

/* Of two SIPIs the first one says where: by the second one the CPU runs already. */
static void first_sipi(void **state)
{
    for (volatile unsigned elsewhere = 0; elsewhere <= CPUS; elsewhere += CPUS) {
        set_up(elsewhere);
        vcpu[1].mode = VCPU_WAITS;
        vcpu_send(&vcpu[1], SIGNAL_INIT);
        vcpu_send(&vcpu[1], SIGNAL_SIPI | 0x10);
        vcpu_send(&vcpu[1], SIGNAL_SIPI | 0x21);
        read_mail(&vcpu[1]);
        assert_int_equal(vcpu[1].sipi, SIGNAL_SIPI | 0x10);
        vcpu_send(&vcpu[1], SIGNAL_INIT);
        vcpu_send(&vcpu[1], SIGNAL_SIPI | 0x21);
        read_mail(&vcpu[1]);
        assert_int_equal(vcpu[1].sipi, SIGNAL_SIPI | 0x21);
    }
}

/* One that comes before an INIT is forgotten, even if both come at once. */
static void init_behind_sipi(void **state)
{
    set_up(CPUS);
    vcpu_send(&vcpu[1], SIGNAL_SIPI | 0x10);
    vcpu_send(&vcpu[1], SIGNAL_NMI);
    vcpu_send(&vcpu[1], SIGNAL_INIT);
    read_mail(&vcpu[1]);
    assert_int_equal(vcpu[1].mode, VCPU_OFF);
    assert_int_equal(vm.agree.awake, 1);
}

/* Neither when it comes with its SIPI, nor when the INIT has still to wait, is an NMI lost that was
 * sent behind them. */
static void nmi_behind_sipi(void **state)
{
    for (volatile unsigned elsewhere = 0; elsewhere <= CPUS; elsewhere += CPUS) {
        set_up(elsewhere);
        vcpu[1].mode = VCPU_WAITS;
        vcpu[1].rests = false;
        vcpu_send(&vcpu[1], SIGNAL_INIT);
        vcpu_send(&vcpu[1], SIGNAL_SIPI | 0x10);
        vcpu_send(&vcpu[1], SIGNAL_NMI);
        read_mail(&vcpu[1]);
        vcpu[1].mode = VCPU_IN_MONITOR;
        if (setjmp(scheduler) == 0)
            answer(&vcpu[1]);
        assert_int_equal(vcpu[1].mode, VCPU_STARTS);
        assert_int_equal(vcpu[1].sipi, SIGNAL_NMI | SIGNAL_SIPI | 0x10);
    }
}

static void dead(void **state)
{
    vcpu[0].mode = VCPU_IN_GUEST;
    vcpu[0].halted = true;
    vcpu_follow_rest(&vcpu[0], false);
    assert_int_equal(halts, 1);
    vcpu_send(&vcpu[0], SIGNAL_NMI);
    assert_int_equal(vm.agree.awake, 1);
    vcpu_send(&vcpu[1], SIGNAL_SIPI);
    assert_int_equal(vm.agree.awake, 2);
    vcpu[0].nmi_pending = false;
    vcpu_follow_rest(&vcpu[0], false);
    assert_int_equal(halts, 1);
    /* Its monitor looks at what it has kicked, and that wakes it no more. */
    vcpu[1].mode = VCPU_IN_MONITOR;
    vcpu[1].halted = true;
    vcpu_follow_rest(&vcpu[1], false);
    assert_int_equal(halts, 2);
    vcpu[1].halted_if = true;
    vcpu_follow_rest(&vcpu[1], false);
    assert_int_equal(vm.agree.awake, 1);
}

/* So it is when INIT takes the last one that lives: at once, or when its monitor has answered. */
static void dead_by_init(void **state)
{
    vcpu_send(&vcpu[1], SIGNAL_SIPI);
    vcpu[0].mode = VCPU_IN_GUEST;
    vcpu[0].halted = true;
    vcpu_follow_rest(&vcpu[0], false);
    assert_int_equal(vcpu[0].thread.events, 0);
    vcpu[1].mode = VCPU_IN_GUEST;
    vcpu_send(&vcpu[1], SIGNAL_INIT);
    assert_int_equal(vcpu[0].thread.events, EVENT_HALT);
    sched_take_events(&vcpu[0].thread);

    vcpu_send(&vcpu[1], SIGNAL_SIPI);
    vcpu[1].mode = VCPU_IN_MONITOR;
    vcpu_send(&vcpu[1], SIGNAL_INIT);
    assert_int_equal(vcpu[0].thread.events, 0);
    if (setjmp(scheduler) == 0)
        answer(&vcpu[1]);
    assert_int_equal(vcpu[0].thread.events, EVENT_HALT);
    sched_take_events(&vcpu[0].thread);

    vcpu_send(&vcpu[1], SIGNAL_SIPI);
    vcpu[1].mode = VCPU_IN_MONITOR;
    vcpu_send(&vcpu[1], SIGNAL_INIT);
    vcpu_send(&vcpu[1], SIGNAL_SIPI | 0x10);
    if (setjmp(scheduler) == 0)
        answer(&vcpu[1]);
    assert_int_equal(vcpu[1].mode, VCPU_STARTS);
    assert_int_equal(vcpu[0].thread.events, 0);
}

/* Interrupts wait for the CPU of their vCPU; one that accepts none gets none, whose sender is told;
 * and what was sent before a reset is gone behind it. */
static void interrupts(void **state)
{
    struct vlapic *l = &vcpu[1].lapic;

    set_up(CPUS);
    assert_true(vcpu_send_interrupt(&vcpu[1], VECTOR, false));
    assert_true(vcpu_send_interrupt(&vcpu[1], 0xfe, true));
    assert_false(vcpu_send_interrupt(&vcpu[1], 0xf, false));
    assert_int_equal(vlapic_highest_pending(l), VLAPIC_NONE);
    read_mail(&vcpu[1]);
    assert_int_equal(vlapic_highest_pending(l), 0xfe);
    assert_int_equal(page[1][APIC_TMR / 4 + 28], 1u << 30);
    vlapic_accept(l, 0xfe);
    assert_int_equal(vlapic_eoi(l), 0xfe);
    assert_int_equal(vlapic_highest_pending(l), VECTOR);
    assert_int_equal(page[1][APIC_ESR / 4] | l->errors, 0x40);

    assert_true(vcpu_send_interrupt(&vcpu[2], VECTOR, false));
    if (setjmp(scheduler) == 0)
        monitor_reset(&vcpu[0]);
    for (unsigned i = CPUS; i-- > 0;)
        read_mail(&vcpu[i]);
    assert_int_equal(vcpu[0].mode, VCPU_IN_MONITOR);
    assert_false(vcpu_send_interrupt(&vcpu[2], VECTOR, false));
    assert_int_equal(mail_take(&vcpu[2].mail, VECTOR / 64), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(any_order, setup),
        cmocka_unit_test_setup(first_sipi, setup),
        cmocka_unit_test_setup(init_behind_sipi, setup),
        cmocka_unit_test_setup(nmi_behind_sipi, setup),
        cmocka_unit_test_setup(dead, setup),
        cmocka_unit_test_setup(dead_by_init, setup),
        cmocka_unit_test_setup(interrupts, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
