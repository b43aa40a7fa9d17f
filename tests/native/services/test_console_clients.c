/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's clients: what is typed for a VM, who watches one, and those that behave badly. */
#include <stdio.h>
#include <string.h>

#include "services/console/console.h"
#include "tests/native/services/machine.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input),
        cmocka_unit_test(watched),
        cmocka_unit_test(watched_late),
        cmocka_unit_test(watched_by_a_hostile_one),
        cmocka_unit_test(input_that_nobody_takes),
        cmocka_unit_test(silent),
        cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests_name("the console's clients", tests, NULL, NULL);
}
