/* SPDX-License-Identifier: BSD-2-Clause */
/* The console: who gets how much of the line, what is shown again, in which order lines come, and
 * ports and VMs that behave badly. */
#include <stdio.h>
#include <string.h>

#include "services/console/console.h"
#include "tests/native/services/machine.h"

#define VM(i) ((uint8_t)((i) + 2)) /* the plan's index of the machine's VM */

static void begin(bool lines)
{
    machine_begin(lines, true);
}

static void type(const char *keys)
{
    machine.typed = keys;
    machine_run_ms((unsigned)strlen(keys) / 10 + 2);
    assert_int_equal(*machine.typed, '\0');
    machine_settle();
}

static void say(unsigned vm, const char *text)
{
    assert_int_equal(machine_say(vm, text), strlen(text));
    machine_settle();
}

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

/* Who has the line gets the input, and who has not does not; the escape's own meanings. */
static void input(void **state)
{
    begin(false);
    type("ls\r");
    assert_string_equal(machine_input(0), "ls\r");
    type("\035nw");
    assert_string_equal(machine_input(0), "");
    assert_string_equal(machine_input(1), "w");
    type("a\035\035b\035x");
    assert_string_equal(machine_input(1), "a\035b\035x");
    type("\035d");
    for (unsigned vm = 0; vm < 3; vm++)
        assert_string_equal(machine_input(vm), "?");
    machine_log(LOG_VM_ENDED, VM(1), "vm vm1: stopped");
    machine_settle();
    type("\035dq");
    assert_string_equal(machine_input(0), "?");
    assert_string_equal(machine_input(1), "");
    assert_string_equal(machine_input(2), "?q");
    type("\035n\035nz");
    assert_string_equal(machine_input(2), "z");
}

/* Who watches a VM has its output and types for it, whoever has the line; and of others nothing. */
static void watched(void **state)
{
    for (int lines = 0; lines < 2; lines++) {
        begin(lines);
        say(0, "of another\n");
        assert_string_equal(machine_watch(""), "");
        say(MACHINE_WATCHED, "before\n");
        assert_string_equal(machine_watch(""), "before\n");
        assert_string_equal(machine_watch("ls\r"), "");
        assert_string_equal(machine_input(MACHINE_WATCHED), "ls\r");
        assert_string_equal(machine_input(0), "");
        say(MACHINE_WATCHED, "half a line");
        assert_string_equal(machine_watch(""), "half a line");
        assert_int_equal(machine_count("before"), lines);
    }
    type("\035n");
    machine_log(LOG_VM_ENDED, VM(MACHINE_WATCHED), "vm vm1: stopped");
    machine_say(MACHINE_WATCHED, " at its end\n");
    machine_settle();
    assert_string_equal(machine_watch("x"), " at its end\n");
    assert_string_equal(machine_input(MACHINE_WATCHED), "");
}

/* Who comes late has what was kept, in as many pieces as the channel wants. */
static void watched_late(void **state)
{
    char line[16];
    size_t length;

    begin(false);
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "line %03u.\n", i);
        machine_say(MACHINE_WATCHED, line);
        machine_run_ms(3);
    }
    machine_settle();
    const char *seen = machine_watch("");
    length = strlen(seen);
    assert_in_range(length, (CHANNEL_ENTRIES - 1) * CONSOLE_BYTES, CHANNEL_ENTRIES * CONSOLE_BYTES);
    assert_non_null(strstr(seen, "\nline 591.\n"));
    seen = machine_watch("");
    assert_int_equal(length + strlen(seen), CONSOLE_KEPT);
    assert_string_equal(seen + strlen(seen) - 10, "line 999.\n");
    machine_restart_console();
    assert_string_equal(machine_watch(""), "");
    say(MACHINE_WATCHED, "and on\n");
    assert_string_equal(machine_watch(""), "and on\n");
}

/* One that sends anything, and takes nothing, costs the VM beside it none of its share, and the
 * console a bounded time. */
static void watched_by_a_hostile_one(void **state)
{
    struct console_entry entry;
    size_t sum = 0;

    begin(true);
    for (unsigned i = 0; i < 1000; i++) {
        entry.length = (uint16_t)(i * 7919);
        entry.what = i % 5;
        memset(entry.bytes, 'h', sizeof(entry.bytes));
        machine_watcher_puts(&entry);
        machine_flood(MACHINE_WATCHED);
        machine_run_ms(14);
        sum += machine_say(0, "I am still here\n");
    }
    assert_in_range(sum, 15000, 16000);
    assert_int_equal(machine.events, 0);
    assert_in_range(strspn(machine_input(MACHINE_WATCHED), "h"), 1, 0x4000);
    assert_string_equal(machine_input(0), "");
}

/* Input that nobody takes is lost behind what the channel holds, and nothing else is. */
static void input_that_nobody_takes(void **state)
{
    static char keys[3001];

    begin(false);
    for (size_t i = 0; i < sizeof(keys) - 1; i++)
        keys[i] = (char)('a' + i % 26);
    type(keys);
    const char *got = machine_input(0);
    size_t length = strlen(got);
    assert_in_range(length, 64, 3000);
    assert_memory_equal(got, keys, length);
    machine_run_ms(2);
    const char *rest = machine_input(0);
    assert_in_range(strlen(rest), 0, CONSOLE_BYTES);
    type("again");
    got = machine_input(0);
    assert_string_equal(got + strlen(got) - 5, "again");
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

/* A VM without a share of the line: nothing of it is shown, it never has the line, and it can be
 * asked. */
static void silent(void **state)
{
    for (int lines = 0; lines < 2; lines++) {
        machine_silence = 1 << 0 | 1 << 2;
        begin(lines);
        machine_silence = 0;
        say(0, "not shown\n");
        say(1, "shown\n");
        machine_log(LOG_LINE, VM(0), "vm vm0: restart");
        type("\035nx\035d");
        assert_string_equal(machine_input(0), "?");
        assert_string_equal(machine_input(1), "x?");
        assert_string_equal(machine_input(2), "?");
        assert_int_equal(machine_asked(), 1);
        machine_log(LOG_VM_ENDED, VM(0), "vm vm0: stopped");
        machine_settle();
        assert_int_equal(machine_count("not shown"), 0);
        assert_int_equal(machine_count("shown\n"), 1);
        assert_int_equal(machine_count("console of"), 0);
        type("\035d");
        assert_string_equal(machine_input(0), "");
        assert_string_equal(machine_input(2), "?");
    }
}

/* Entries that are none, and positions that make no sense, cost nobody else anything. */
static void hostile(void **state)
{
    struct console_entry entry = {.length = UINT16_MAX, .what = CONSOLE_TEXT};

    begin(false);
    assert_true(channel_put(&machine.vm[0], &entry));
    entry = (struct console_entry){.length = 3, .what = CONSOLE_ASK, .bytes = "no"};
    assert_true(channel_put(&machine.vm[0], &entry));
    entry = (struct console_entry){.length = 3, .what = 77, .bytes = "no"};
    assert_true(channel_put(&machine.vm[0], &entry));
    say(0, "yes\n");
    assert_int_equal(machine.length, 4);
    for (uint32_t i = 0; i < 1000; i++) {
        struct channel_end *end = &machine.vm[2];
        end->out->tail = i * 0x01234567u;
        end->out->blocked = i;
        end->in->head = i * 0x76543210u;
        end->in->sleeps = i;
        machine.events |= 1ULL << 34;
        machine_run_ms(1);
    }
    machine_settle();
    assert_in_range(machine.works, 1000, 3000);
    machine.length = 0;
    say(0, "yes\n");
    assert_int_equal(machine_count("yes\n"), 1);
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
        cmocka_unit_test(woken_with_room),
        cmocka_unit_test(input),
        cmocka_unit_test(watched),
        cmocka_unit_test(watched_late),
        cmocka_unit_test(watched_by_a_hostile_one),
        cmocka_unit_test(input_that_nobody_takes),
        cmocka_unit_test(babbling),
        cmocka_unit_test(output_without_interrupts),
        cmocka_unit_test(polled),
        cmocka_unit_test(idle),
        cmocka_unit_test(pauses),
        cmocka_unit_test(spares),
        cmocka_unit_test(silent),
        cmocka_unit_test(hostile),
        cmocka_unit_test(restarted),
        cmocka_unit_test(restarted_with_a_queue),
        cmocka_unit_test(ended_before),
        cmocka_unit_test(lines_one_by_one),
    };

    return cmocka_run_group_tests_name("the console", tests, NULL, NULL);
}
