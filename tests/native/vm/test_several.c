/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has the monitor and who is off (R21, R36): whatever vCPUs do, one has it at most, each that
 * waits gets it in its turn, and what is to be heard of a vCPU is heard before it is off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hypervisor/vm/several.h"

#define CPUS  4
#define STEPS 200000

PER_CPU struct sched sched; /* of a CPU whose block is at 0 */

static struct plan_vm plan = {.vcpus = CPUS};
static struct vm vm = {.plan = &plan};
static struct vcpu vcpu[CPUS];
static uint32_t page[CPUS][0x400];
static jmp_buf scheduler;
static unsigned given[CPUS]; /* how often others have given the monitor up since it waits */
static unsigned starts, resets;

void sched_wake(struct thread *t)
{
}

void sched_post(struct thread *t, uint64_t events)
{
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

void schedule(void)
{
    longjmp(scheduler, 1);
}

static int setup(void **state)
{
    srand(1);
    for (unsigned i = 0; i < CPUS; i++) {
        vcpu[i] = (struct vcpu){.vm = &vm, .mode = VCPU_OFF, .lapic_page = page[i]};
        vlapic_reset(&vcpu[i].lapic, page[i], i, i == 0);
        vm.vcpus[i] = &vcpu[i];
    }
    vcpu[0].mode = VCPU_IN_MONITOR;
    vm.process.thread = &vcpu[0].thread;
    vm.monitor_taken = true;
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
        vcpu_send_init(to);
    else
        vcpu_send_sipi(to, (uint8_t)rand());
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

/* One that can run does something. */
static void step(struct vcpu *v)
{
    switch (v->mode) {
    case VCPU_CALLED:
        hear(v);
        break;
    case VCPU_STARTS:
        v->mode = VCPU_IN_GUEST;
        v->sipi = 0;
        starts++;
        break;
    case VCPU_IN_MONITOR:
        if (chance(200)) {
            resets++;
            monitor_reset(&vm);
        } else if (chance(2)) {
            send();
        } else {
            answer(v);
        }
        break;
    case VCPU_IN_GUEST:
        if (v->thread.work & WORK_EVENTS || chance(2))
            exit_to_its_monitor(v);
        else if (chance(2))
            v->kicks = 1;
        else
            send();
        break;
    default:
        break;
    }
}

static void check(void)
{
    unsigned owners = 0;

    for (unsigned i = 0; i < CPUS; i++) {
        const struct vcpu *v = &vcpu[i];
        bool has = v->mode == VCPU_IN_MONITOR || v->mode == VCPU_CALLED;
        owners += has;
        if (has)
            assert_ptr_equal(vm.process.thread, &v->thread);
        if (v->mode == VCPU_WAITS)
            assert_true(vm.monitor_taken && given[i] < CPUS);
        if (v->mode == VCPU_OFF)
            assert_true(v->kicks == 0 && v->sipi == 0 && !v->init && i != 0);
        if (v->init)
            assert_true(has || v->mode == VCPU_WAITS || v->thread.work & WORK_EVENTS);
        if (v->sipi != 0)
            assert_true(v->init || v->mode == VCPU_STARTS);
    }
    assert_int_equal(owners, vm.monitor_taken);
}

static void any_order(void **state)
{
    for (volatile unsigned n = 0; n < STEPS; n++) {
        if (setjmp(scheduler) == 0)
            step(&vcpu[rand() % CPUS]);
        check();
    }
    assert_true(starts > STEPS / 100 && resets > 10);
}

/* Of two SIPIs the first one says where: by the second one the CPU runs already. */
static void first_sipi(void **state)
{
    vcpu[1].mode = VCPU_WAITS;
    vcpu_send_init(&vcpu[1]);
    vcpu_send_sipi(&vcpu[1], 0x10);
    vcpu_send_sipi(&vcpu[1], 0x20);
    assert_int_equal(vcpu[1].sipi, SIPI_SENT | 0x10);
    vcpu_send_init(&vcpu[1]);
    vcpu_send_sipi(&vcpu[1], 0x20);
    assert_int_equal(vcpu[1].sipi, SIPI_SENT | 0x20);
}

static void dead(void **state)
{
    vcpu[0].mode = VCPU_IN_GUEST;
    vcpu[0].halted = true;
    assert_true(vm_is_dead(&vm));
    vcpu[0].nmi_pending = true;
    assert_false(vm_is_dead(&vm));
    vcpu[0].nmi_pending = false;
    vcpu[1].mode = VCPU_STARTS;
    assert_false(vm_is_dead(&vm));
    /* Its monitor looks at what it has kicked, and that wakes it no more. */
    vcpu[1].mode = VCPU_IN_MONITOR;
    assert_false(vm_is_dead(&vm));
    vcpu[1].halted = true;
    assert_true(vm_is_dead(&vm));
    vcpu[1].halted_if = true;
    assert_false(vm_is_dead(&vm));
}

/* So it is when INIT takes the last one that lives: at once, or when its monitor has answered. */
static void dead_by_init(void **state)
{
    vcpu[0].mode = VCPU_IN_GUEST;
    vcpu[0].halted = true;
    vcpu[1].mode = VCPU_IN_GUEST;
    vcpu_send_init(&vcpu[1]);
    assert_int_equal(vcpu[0].thread.events, EVENT_HALT);
    sched_take_events(&vcpu[0].thread);

    vcpu[1].mode = VCPU_IN_MONITOR;
    vcpu_send_init(&vcpu[1]);
    assert_int_equal(vcpu[0].thread.events, 0);
    if (setjmp(scheduler) == 0)
        answer(&vcpu[1]);
    assert_int_equal(vcpu[0].thread.events, EVENT_HALT);
    sched_take_events(&vcpu[0].thread);

    vcpu[1].mode = VCPU_IN_MONITOR;
    vcpu_send_init(&vcpu[1]);
    vcpu_send_sipi(&vcpu[1], 0x10);
    if (setjmp(scheduler) == 0)
        answer(&vcpu[1]);
    assert_int_equal(vcpu[1].mode, VCPU_STARTS);
    assert_int_equal(vcpu[0].thread.events, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(any_order, setup),
        cmocka_unit_test_setup(first_sipi, setup),
        cmocka_unit_test_setup(dead, setup),
        cmocka_unit_test_setup(dead_by_init, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
