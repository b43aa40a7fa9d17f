/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: who gets how much of the line, what is shown again, and in which order lines come,
 * also when it is started again. */
#include <stdio.h>
#include <string.h>

#include "services/console/console.h"
#include "tests/native/services/machine.h"

/* Behind Ctrl-] n the VM's last lines are there, those that were shown once included. */
static void last_lines(void **state)
{
    begin(false);
    say(0, "one\ntwo\nthree\nfour\nfive\n# ");
    say(1, "not seen\n$ ");
    assert_int_equal(machine_count("not seen"), 0);
    type("\035n");
    assert_int_equal(machine_count("lintel: console of vm vm1\r\nnot seen\n$ "), 1);
    type("\035n\035n");
    assert_int_equal(machine_count("console of vm vm0\r\ntwo\nthree\nfour\nfive\n# "), 1);
    say(0, "x");
    assert_int_equal(machine_count("five\n# x"), 1);
}

/* All that nobody saw, more than the last lines; and how much of it was lost. */
static void backlog(void **state)
{
    char many[32];

    begin(false);
    for (int i = 0; i < 1000; i++) {
        snprintf(many, sizeof(many), "line %03u.\n", i);
        assert_int_equal(machine_say(1, many), 10);
        machine_run_ms(3);
    }
    machine_settle();
    type("\035n");
    assert_int_equal(machine_count("console of vm vm1, 5904 bytes not kept"), 1);
    assert_int_equal(machine_count("line 590."), 0);
    assert_int_equal(machine_count("line 591."), 1);
    assert_int_equal(machine_count("line 999."), 1);
    type("\035n\035n\035n");
    assert_int_equal(machine_count("line 995."), 1);
    assert_int_equal(machine_count("line 996."), 2);
}

/* One that writes all it can leaves ring 0 its lines at once, and the others their share. */
static void shares(void **state)
{
    size_t first = 0, second = 0;

    begin(true);
    for (int i = 0; i < 2000; i++)
        machine_flood(0), machine_run_ms(1);
    machine_say(1, "I am here\n");
    machine_run_ms(3000);
    assert_int_equal(machine_count("[vm1] I am here\n"), 1);
    for (int i = 0; i < 1000; i++) {
        machine_run_ms(14);
        first += machine_flood(0);
        second += machine_say(1, "I am still here\n");
    }
    assert_in_range(first, 100000, 150000);
    assert_in_range(second, 15000, 16000);
}

/* Two that write all they can get the same. */
static void equal_shares(void **state)
{
    size_t sum[2] = {0, 0};

    begin(true);
    for (int i = 0; i < 40000; i++) {
        machine_run_ms(1);
        sum[0] += machine_flood(0);
        sum[1] += machine_flood(1);
        if (machine.length > sizeof(machine.sent) / 2)
            machine.length = 0;
    }
    assert_in_range(sum[0], 150000, 300000);
    assert_in_range(sum[1], sum[0] - sum[0] / 20, sum[0] + sum[0] / 20);
}

/* A line of ring 0 waits for the line only behind what is on its way, whoever floods. */
static void log_first(void **state)
{
    for (int lines = 0; lines < 2; lines++) {
        begin(lines);
        for (int i = 0; i < 4000; i++)
            machine_flood(0), machine_flood(1), machine_run_ms(1);
        size_t before = machine.length;
        machine_log(LOG_LINE, LOG_NO_VM, "here I am");
        machine_run_ms(2000);
        const char *at = strstr(machine.sent + before, "lintel: here I am\r\n");
        assert_non_null(at);
        assert_in_range((size_t)(at - machine.sent) - before, 0, 0x5000 + 200);
        assert_int_equal(at[-1], '\n');
    }
}

/* Ring 0's lines are on lines of their own, whatever a VM has begun. */
static void own_lines(void **state)
{
    begin(false);
    machine_log(LOG_LINE, LOG_NO_VM, "first");
    machine_settle();
    say(0, "half");
    machine_log(LOG_LINE, LOG_NO_VM, "second");
    machine_log(LOG_LINE, LOG_NO_VM, "third");
    machine_settle();
    say(0, " a line\r\n");
    assert_int_equal(machine_count("lintel: first\r\nhalf\r\nlintel: second\r\nlintel: third\r\n"
                                   " a line\r\n"),
                     1);
}

/* The ring's end, and records of every length; nothing is lost or torn. */
static void log_wraps(void **state)
{
    char text[LOG_LINE_MAX + 1], expected[LOG_LINE_MAX + 12];

    begin(false);
    for (unsigned i = 0; i < 1500; i++) {
        unsigned length = i * 7 % (LOG_LINE_MAX + 1);
        memset(text, 'a' + (int)(i % 26), length);
        text[length] = '\0';
        machine_log(LOG_LINE, LOG_NO_VM, text);
        machine.length = 0;
        machine_settle();
        snprintf(expected, sizeof(expected), "lintel: %s\r\n", text);
        machine.sent[machine.length] = '\0';
        assert_string_equal(machine.sent, expected);
    }
}

/* More lines than the port's queue takes wait in the ring. */
static void log_waits(void **state)
{
    char text[101] = "";
    unsigned said = 0;

    begin(false);
    machine.stands = true;
    memset(text, '-', 100);
    for (; said < 900; said++) {
        machine_log(LOG_LINE, LOG_NO_VM, text);
        machine_run_ms(1);
    }
    for (; said < 1400; said++)
        machine_log(LOG_LINE, LOG_NO_VM, text);
    machine_run_ms(1);
    machine.stands = false;
    machine_settle();
    assert_int_equal(machine_count("lintel: -"), said);
}

/* What a VM wrote before a line about it is before that line; its last words are all there. */
static void lines_about_a_vm(void **state)
{
    for (int lines = 0; lines < 2; lines++) {
        begin(lines);
        machine_say(0, "a\n");
        for (unsigned i = 0; i < CHANNEL_ENTRIES - 1; i++)
            assert_int_equal(machine_say(0, "b\n"), 2);
        machine_log(LOG_LINE, VM(0), "vm vm0: restart");
        machine_run_ms(1);
        machine_say(0, "c\n");
        machine_settle();
        const char *at = strstr(machine.sent, "vm vm0: restart");
        machine.sent[machine.length] = '\0';
        assert_non_null(at);
        unsigned all = machine_count("b\n");
        *(char *)at = '\0';
        assert_int_equal(all, CHANNEL_ENTRIES - 1);
        for (const char *b = machine.sent; (b = strstr(b, "b\n")) != NULL; b++)
            all--;
        assert_int_equal(all, 0);
    }
}

/* All of them have written all they can; who ends has it shown, and the next one gets the line. */
static void ends(void **state)
{
    for (int lines = 0; lines < 2; lines++) {
        begin(lines);
        for (int i = 0; i < 1000; i++)
            for (unsigned vm = 0; vm < 3; vm++)
                machine_flood(vm), machine_run_ms(1);
        for (unsigned vm = 0; vm < 3; vm++) {
            char text[60];
            machine_run_ms(400); /* some room in the channel */
            snprintf(text, sizeof(text), "the last words of vm%u", vm);
            machine_flood(vm);
            machine_run_ms(3000);
            assert_int_equal(machine_say(vm, text), strlen(text));
            snprintf(text, sizeof(text), "vm vm%u: stopped", vm);
            machine_log(LOG_VM_ENDED, VM(vm), text);
        }
        machine_log(LOG_END, LOG_NO_VM, "all VMs have stopped");
        machine_settle();
        assert_true(machine.stopped);
        for (unsigned vm = 0; vm < 3; vm++) {
            char text[100];
            snprintf(text, sizeof(text), "the last words of vm%u\r\nlintel: vm vm%u: stopped\r\n",
                     vm, vm);
            assert_int_equal(machine_count(text), 1);
        }
        assert_int_equal(machine_count("lintel: all VMs have stopped\r\n"), 1);
        assert_string_equal(machine.sent + machine.length - 30, "lintel: all VMs have stopped\r\n");
        assert_true(machine_count("lintel: console of vm vm2") >= 1);
    }
}

/* A VM that leaves as many lines as its channel holds bytes gets no more than its share of the line
 * for them, and the others are as they were. */
static void ends_with_many_lines(void **state)
{
    char newlines[60 * 64 + 1] = "";

    begin(true);
    memset(newlines, '\n', sizeof(newlines) - 1);
    machine.stands = true;
    while (machine_say(0, newlines) > 0)
        machine_run_ms(2);
    machine.stands = false;
    size_t before = machine.length;
    machine_log(LOG_VM_ENDED, VM(0), "vm vm0: stopped");
    machine_say(1, "I go on\n");
    machine_settle();
    assert_int_equal(machine_count("lintel: vm vm0: stopped\r\n"), 1);
    assert_int_equal(machine_count("bytes not kept"), 1);
    assert_int_equal(machine_count("[vm1] I go on\n"), 1);
    assert_in_range(machine.length - before, 0x4000, 0x5000 + 0x4000 + 0x1000);
}

/* The run ends when the last byte has left the port, and not before; a port that stands still holds
 * it up for a second. */
static void end_of_the_run(void **state)
{
    begin(false);
    for (int i = 0; i < 20; i++)
        machine_say(0, "0123456789012345678901234567890123456789\r\n");
    machine_run_ms(CONSOLE_PAUSE_MS);
    machine_log(LOG_END, LOG_NO_VM, "the end");
    machine_run_ms(60);
    assert_false(machine.stopped);
    machine_run_ms(60);
    assert_true(machine.stopped);
    assert_int_equal(machine_count("lintel: the end\r\n"), 1);

    begin(false);
    machine.stands = true;
    say(0, "more than a FIFO takes");
    machine_log(LOG_END, LOG_NO_VM, "the end");
    machine_run_ms(900);
    assert_false(machine.stopped);
    machine_run_ms(200);
    assert_true(machine.stopped);

    begin(false);
    machine.absent = true;
    machine_log(LOG_END, LOG_NO_VM, "the end");
    machine_run_ms(1100);
    assert_true(machine.stopped);
}

/* A console that is started again goes on with the log, and with what VMs have written. */
static void restarted(void **state)
{
    begin(false);
    machine_log(LOG_LINE, LOG_NO_VM, "before");
    machine_settle();
    machine_log(LOG_LINE, LOG_NO_VM, "meanwhile");
    struct console_entry entry = {.length = 5, .bytes = "text\n"};
    assert_true(channel_put(&machine.vm[0], &entry));
    machine_restart_console();
    machine_settle();
    assert_int_equal(machine_count("lintel: before\r\n"), 1);
    assert_int_equal(machine_count("lintel: meanwhile\r\ntext\n"), 1);
    say(0, "more\n");
    assert_int_equal(machine_count("text\nmore\n"), 1);
}

/* What was in the port's queue goes out, once, and a line of ring 0 does not go behind half a line;
 * the run still ends. */
static void restarted_with_a_queue(void **state)
{
    begin(false);
    machine.stands = true;
    say(0, "more bytes than the port has room for, and no end of the line");
    machine_log(LOG_VM_ENDED, VM(0), "vm vm0: stopped");
    machine_settle();
    machine_restart_console();
    machine_log(LOG_END, LOG_NO_VM, "the end");
    machine_run_ms(10);
    machine_restart_console();
    machine.stands = false;
    machine_settle();
    assert_true(machine.stopped);
    assert_int_equal(
        machine_count("more bytes than the port has room for, and no end of the line\r\n"
                      "lintel: vm vm0: stopped\r\n"),
        1);
    assert_int_equal(machine_count("lintel: the end\r\n"), 1);
}

/* A VM that has ended before the console has looked at it once, or while it was started again. */
static void ended_before(void **state)
{
    begin(false);
    for (unsigned vm = 0; vm < 2; vm++) {
        struct console_entry entry = {.length = 5, .bytes = "text\n"};
        assert_true(channel_put(&machine.vm[vm], &entry));
        machine_end_vm(vm);
    }
    machine_log(LOG_LINE, LOG_NO_VM, "a line");
    machine_log(LOG_VM_ENDED, VM(1), "vm vm1: stopped");
    machine_restart_console();
    machine_settle();
    assert_int_equal(machine_count("lintel: a line\r\n"), 1);
    assert_int_equal(machine_count("text\nlintel: vm vm1: stopped\r\n"), 1);
    say(2, "more\n");
    assert_int_equal(machine_count("more\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_lines),
        cmocka_unit_test(backlog),
        cmocka_unit_test(shares),
        cmocka_unit_test(equal_shares),
        cmocka_unit_test(log_first),
        cmocka_unit_test(own_lines),
        cmocka_unit_test(log_wraps),
        cmocka_unit_test(log_waits),
        cmocka_unit_test(lines_about_a_vm),
        cmocka_unit_test(ends),
        cmocka_unit_test(ends_with_many_lines),
        cmocka_unit_test(end_of_the_run),
        cmocka_unit_test(restarted),
        cmocka_unit_test(restarted_with_a_queue),
        cmocka_unit_test(ended_before),
    };

    return cmocka_run_group_tests_name("the console", tests, NULL, NULL);
}
