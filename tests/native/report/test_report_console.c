/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: who gets how much of the line, what is shown again, and a port that does not stop
 * asking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/report/console.h"
#include "hypervisor/report/log.h"
#include "hypervisor/vm/vm.h"
#include "tests/native/report/line.h"

#define PATIENCE 1000

static void begin(bool lines)
{
    line_reset(3);
    console_interrupt(0); /* nobody waits any more for the test before */
    line_reset(3);
    console_lines = lines;
    console_init(PATIENCE, true);
    console_start();
    console_next_look = 0;
    console_due = UINT64_MAX;
}

static size_t say(unsigned vm, const char *text)
{
    return console_write(&vms[vm], text, strlen(text));
}

static void type(const char *keys)
{
    port.typed = keys;
    console_interrupt(0);
}

/* Behind Ctrl-] n the VM's last lines are there, those that were shown once included. */
static void last_lines(void **state)
{
    begin(false);
    say(0, "one\ntwo\nthree\nfour\nfive\n# ");
    say(1, "not seen\n$ ");
    assert_int_equal(line_count("not seen"), 0);
    type("\035n");
    assert_int_equal(line_count("console of vm vm1\r\nnot seen\n$ "), 1);
    type("\035n\035n");
    assert_int_equal(line_count("console of vm vm0\r\ntwo\nthree\nfour\nfive\n# "), 1);
    say(0, "x");
    assert_int_equal(line_count("five\n# x"), 1);
}

/* All that nobody saw, more than the last lines; and how much of it was lost. */
static void backlog(void **state)
{
    char many[32];

    begin(false);
    for (int i = 0; i < 1000; i++) {
        snprintf(many, sizeof(many), "line %03u.\n", i);
        assert_int_equal(say(1, many), 10);
    }
    type("\035n");
    assert_int_equal(line_count("console of vm vm1, 5904 bytes not kept"), 1);
    assert_int_equal(line_count("line 590."), 0);
    assert_int_equal(line_count("line 591."), 1);
    assert_int_equal(line_count("line 999."), 1);
    line_send(SIZE_MAX);
    type("\035n\035n\035n");
    assert_int_equal(line_count("line 995."), 1);
    assert_int_equal(line_count("line 996."), 2);
}

static size_t flood(unsigned vm)
{
    static char text[4096];
    size_t sum = 0, n;

    memset(text, 'f', sizeof(text));
    for (unsigned i = 80; i < sizeof(text); i += 80)
        text[i] = '\n';
    do
        sum += n = console_write(&vms[vm], text, sizeof(text));
    while (n == sizeof(text));
    return sum;
}

/* One that writes all it can leaves the hypervisor its room, and the others their share. */
static void shares(void **state)
{
    size_t first = 0, second = 0;

    begin(true);
    flood(0);
    assert_int_equal(say(1, "I am here\n"), 10);
    assert_int_equal(line_count("[vm1] I am here\n"), 1);
    for (int i = 0; i < 1000; i++) {
        line_send(160); /* what the line sends in 14 ms */
        console_interrupt(0);
        first += flood(0);
        second += say(1, "I am still here\n");
        first += flood(0);
    }
    assert_in_range(first, 100000, 150000);
    assert_in_range(second, 15000, 16000);
    for (int i = 0; i < 100; i++)
        log_line("the hypervisor's own %u", i);
    assert_int_equal(port.flushes, 0);
}

/* Two that write all they can get the same. */
static void equal_shares(void **state)
{
    size_t sum[2] = {0, 0};

    begin(true);
    for (int i = 0; i < 4000; i++) {
        line_send(160);
        console_interrupt(0);
        sum[0] += flood(0);
        sum[1] += flood(1);
        if (port.length > sizeof(port.sent) / 2)
            port.length = 0;
    }
    assert_in_range(sum[1], sum[0] - sum[0] / 20, sum[0] + sum[0] / 20);
}

/* Nobody waits for the line, whatever they wrote and whoever stops. */
static void nobody_waits(void **state)
{
    for (int lines = 0; lines < 2; lines++) {
        begin(lines);
        for (unsigned vm = 0; vm < 3; vm++) {
            char text[4000];
            memset(text, 'b', sizeof(text));
            console_write(&vms[vm], text, sizeof(text));
        }
        flood(0);
        for (unsigned vm = 0; vm < 3; vm++) {
            vms[vm].running = false;
            console_show_rest(&vms[vm]);
            log_line("vm %u stopped", vm);
            console_stopped(&vms[vm]);
        }
        assert_int_equal(port.flushes, 0);
    }
}

/* A write that was cut is offered again when there is room, and not before. */
static void woken_with_room(void **state)
{
    begin(false);
    flood(0);
    console_interrupt(0);
    assert_false(line_woken(0));
    line_send(0x4000);
    console_interrupt(0);
    assert_true(line_woken(0));
    console_interrupt(0);
    assert_false(line_woken(0));
}

/* A port that always has input, and always asks, costs a bounded number of accesses now and then.
 */
static void babbling(void **state)
{
    begin(false);
    port.babbles = true;
    console_interrupt(5000);
    assert_in_range(port.accesses, 1, 2000);
    assert_false(port.asks);
    assert_int_equal(console_due, 5000 + PATIENCE);
    port.accesses = 0;
    console_look(5000 + PATIENCE - 1);
    assert_int_equal(port.accesses, 0);
    port.babbles = false;
    console_look(5000 + PATIENCE);
    assert_in_range(port.accesses, 1, 2000);
    assert_true(port.asks);
    assert_int_equal(console_due, UINT64_MAX);
}

/* Output goes out although no interrupt gets through, when somebody's turn ends; and without output
 * nobody looks. */
static void output_without_interrupts(void **state)
{
    begin(false);
    console_interrupt(5000);
    port.accesses = 0;
    console_look(5000 + PATIENCE);
    assert_int_equal(port.accesses, 0);
    say(0, "text");
    console_look(5000 + PATIENCE - 1);
    assert_int_equal(port.accesses, 0);
    console_look(5000 + PATIENCE);
    assert_in_range(port.accesses, 1, 2000);
}

/* A port that cannot interrupt is looked at for ever, each time the patience is over, and from the
 * start. */
static void polled(void **state)
{
    begin(false);
    console_init(PATIENCE, false);
    console_start();
    for (uint64_t now = 5000; now < 5000 + 10 * PATIENCE; now += PATIENCE) {
        port.typed = "a";
        console_look(now);
        assert_true(line_woken(0));
        assert_int_equal(console_due, now + PATIENCE);
    }
    console_init(PATIENCE, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_lines),
        cmocka_unit_test(backlog),
        cmocka_unit_test(shares),
        cmocka_unit_test(equal_shares),
        cmocka_unit_test(nobody_waits),
        cmocka_unit_test(woken_with_room),
        cmocka_unit_test(babbling),
        cmocka_unit_test(polled),
        cmocka_unit_test(output_without_interrupts),
    };

    return cmocka_run_group_tests_name("the console", tests, NULL, NULL);
}
