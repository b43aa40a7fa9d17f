/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's port: how often it is looked at, one that behaves badly, and for whom the console
 * wakes. */
#include <stdio.h>

#include "services/console/console.h"
#include "tests/native/services/machine.h"

/* A VM that finds no room is told when there is much of it, and not for each byte that leaves. */
static void woken_with_room(void **state)
{
    begin(false);
    machine.stands = true;
    while (machine_flood(0) > 0)
        machine_run_ms(2 * CONSOLE_PAUSE_MS);
    machine.notified[0] = 0;
    machine_run_ms(100);
    assert_int_equal(machine.notified[0], 0);
    machine.stands = false;
    machine_run_ms(1000);
    assert_in_range(machine.notified[0], 4, 13);
    assert_in_range(machine_flood(0), 500, 4000);
}

/* A port that always has input, and always asks, costs a bounded number of accesses now and then.
 */
static void babbling(void **state)
{
    begin(false);
    machine.babbles = true;
    machine.events |= 1ULL << 16;
    machine.works = machine.accesses = 0;
    machine_run_ms(100);
    assert_in_range(machine.works, 5, 25);
    assert_in_range(machine.accesses, 1, 30000);
    machine.babbles = false;
    machine_run_ms(20);
    for (int i = 0; i < 2; i++) { /* what there was, and what had no room then */
        machine_input(0);
        type("x\r");
    }
    machine_input(0);
    type("quiet\r");
    assert_string_equal(machine_input(0), "quiet\r");
    machine_run_ms(20);
    machine.accesses = 0;
    machine_run_ms(1000);
    assert_int_equal(machine.accesses, 0);
}

/* Output goes out although no interrupt gets through. */
static void output_without_interrupts(void **state)
{
    begin(false);
    machine.no_interrupts = true;
    machine_say(0, "some bytes more than a FIFO takes at once\r\n");
    machine_run_ms(CONSOLE_PAUSE_MS + 2 * CONSOLE_PATIENCE_MS);
    assert_int_equal(machine_count("some bytes more than a FIFO takes at once\r\n"), 1);
}

/* A port that cannot interrupt is looked at for ever, from the start. */
static void polled(void **state)
{
    machine_begin(false, false);
    machine_run_ms(1000);
    assert_in_range(machine.works, 990, 1010);
    type("abc\r");
    assert_string_equal(machine_input(0), "abc\r");
    say(0, "some bytes more than a FIFO takes at once\r\n");
    assert_int_equal(machine_count("some bytes more than a FIFO takes at once\r\n"), 1);
    assert_int_equal(machine.interrupts_done, 0);
}

/* Nothing to do: nobody is woken. */
static void idle(void **state)
{
    begin(false);
    machine_run_ms(1000);
    assert_int_equal(machine.works, 0);
    say(0, "more than a FIFO takes");
    machine_run_ms(100);
    machine.works = 0;
    machine_run_ms(1000);
    assert_int_equal(machine.works, 0);
    assert_true(machine.interrupts_done > 0);
}

/* A VM that writes as often as it can wakes the console no more than once in a pause; nothing that
 * it wrote is lost. */
static void pauses(void **state)
{
    char many[16];

    begin(false);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(many, sizeof(many), "%04u.\n", i);
        assert_int_equal(machine_say(1, many), 6);
        if (i % 10 == 9)
            machine_run_ms(CONSOLE_PAUSE_MS);
    }
    assert_in_range(machine.works, 400, 600);
    machine_run_ms(2 * CONSOLE_PAUSE_MS);
    type("\035n");
    assert_int_equal(machine_count("4999.\n"), 1);
    assert_int_equal(machine_count("4998.\n"), 1);
}

/* On a processor for which a look at the port is much work, several VMs are spared most of them.
 * One alone is not: nobody else has a promise. */
static void spares(void **state)
{
    unsigned works[2];

    for (int ended = 0; ended < 2; ended++) {
        begin(false);
        machine.call_ticks = 100000;
        for (uint8_t vm = 1; ended && vm < MACHINE_VMS; vm++)
            machine_log(LOG_VM_ENDED, VM(vm), "ended");
        machine_settle();
        for (int i = 0; i < 100; i++)
            machine_flood(0), machine_run_ms(10);
        machine.works = 0;
        machine.length = 0;
        machine_run_ms(1000);
        works[ended] = machine.works;
    }
    assert_in_range(works[0], 20, 1000 / CONSOLE_PAUSE_MS + 10);
    assert_in_range(works[1], 600, 1000);
    assert_in_range(machine.length, 10000, 12000);
}

/* Where VMs are spared, lines that come one by one do not wake the console for each. */
static void lines_one_by_one(void **state)
{
    char text[32];

    begin(true);
    machine.call_ticks = 100000;
    say(0, "the port is looked at for it\n");
    machine_run_ms(1000);
    machine.works = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "line %d.", i);
        machine_log(LOG_LINE, LOG_NO_VM, text);
        machine_run_ms(1);
    }
    assert_in_range(machine.works, 2, 16);
    machine_settle();
    assert_int_equal(machine_count("lintel: line "), 100);
    machine_run_ms(1000);
    machine.works = 0;
    machine_run_ms(1000);
    assert_int_equal(machine.works, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(woken_with_room),
        cmocka_unit_test(babbling),
        cmocka_unit_test(output_without_interrupts),
        cmocka_unit_test(polled),
        cmocka_unit_test(idle),
        cmocka_unit_test(pauses),
        cmocka_unit_test(spares),
        cmocka_unit_test(lines_one_by_one),
    };

    return cmocka_run_group_tests_name("the console's port", tests, NULL, NULL);
}
